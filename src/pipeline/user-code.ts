import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { BuildFailure, Plugin as EsbuildPlugin, OnLoadResult, OnResolveArgs } from "esbuild";

/**
 * Imports code that a user wrote: TypeScript or JavaScript, a file or a package. A file is bundled with the files that it
 * imports, so each call sees them as they now are, which no module cache would; packages are imported as they stand.
 * @param doors what stands for some specifiers, as URLs
 * @throws Error with file, line and column of what is wrong
 */
export async function importUserCode(
  specifier: string,
  folder: string,
  doors: ReadonlyMap<string, string>,
): Promise<unknown> {
  const { build } = await import("esbuild");
  process.setSourceMapsEnabled(true);
  try {
    const { outputFiles } = await build({
      stdin: {
        contents: `import * as module from ${JSON.stringify(specifier)}; export default module.default;`,
        resolveDir: folder,
        sourcefile: "portico-plugin.js",
      },
      bundle: true,
      write: false,
      format: "esm",
      platform: "node",
      target: "node20",
      sourcemap: "inline",
      sourceRoot: "file:///",
      absWorkingDir: "/",
      logLevel: "silent",
      plugins: [resolver(doors), places],
    });
    return await importText(outputFiles[0]?.text ?? "");
  } catch (error) {
    throw new Error(describe(error), { cause: error });
  }
}

/** By way of a file of its own: a `data:` URL would stand, whole, in every line of a stack. */
async function importText(code: string): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), "portico-plugin-"));
  try {
    const file = join(folder, "plugin.mjs");
    await writeFile(file, code);
    return await import(pathToFileURL(file).href);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Packages stay outside the bundle, named by their own URL; everything else goes into it. */
const resolver = (doors: ReadonlyMap<string, string>): EsbuildPlugin => ({
  name: "portico-resolver",
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, async (args: OnResolveArgs) => {
      const door = doors.get(args.path);
      if (door !== undefined) return { path: door, external: true };
      if (args.pluginData === SEEN || isBuiltin(args.path) || isAbsolute(args.path)) return undefined;
      const { path, errors } = await build.resolve(args.path, {
        kind: args.kind,
        resolveDir: args.resolveDir,
        importer: args.importer,
        pluginData: SEEN,
      });
      return errors.length > 0 ? { errors } : { path: pathToFileURL(path).href, external: true };
    });
  },
});
const SEEN = Symbol("seen");

/** A file keeps its own `import.meta.url`, whatever it is bundled into. */
const places: EsbuildPlugin = {
  name: "portico-places",
  setup(build) {
    build.onLoad({ filter: /\.[cm]?[jt]s$/ }, async ({ path }): Promise<OnLoadResult> => {
      const text = await readFile(path, "utf8");
      const contents = text.replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href));
      return { contents, loader: /\.[cm]?ts$/.test(path) ? "ts" : "js" };
    });
  },
};

/** The bundler says where in its errors; a throw has it in its stack. */
function describe(error: unknown): string {
  const failures = (error as Partial<BuildFailure>).errors;
  if (Array.isArray(failures) && failures.length > 0) {
    return failures
      .map(({ text, location }) =>
        location === null ? text : `${text} (/${location.file}:${location.line}:${location.column + 1})`,
      )
      .join("; ");
  }
  if (!(error instanceof Error)) return String(error);
  const place = /\(?(?:file:\/\/)?(\/[^()\s]+:\d+:\d+)\)?$/m.exec(error.stack?.split("\n    at ")[1] ?? "");
  return place === null ? error.message : `${error.message} (${place[1]})`;
}

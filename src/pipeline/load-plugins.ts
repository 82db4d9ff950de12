import { existsSync } from "node:fs";
import { register } from "node:module";
import { dirname, extname, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Plugin } from "./contract.ts";

/** `.ts` when run from source, `.js` when built. */
const extension = extname(fileURLToPath(import.meta.url));
const builtIn = new URL("../../plugins/", import.meta.url);
const EXTENSIONS = [".ts", ".mts", ".js", ".mjs"];

/**
 * Finds plugins by name: a built-in one, a file (`./my-check.ts`, from the folder of the configuration), `my-check` in a
 * folder `plugins` there or beside it, or an npm package that is installed there. TypeScript needs no build.
 *
 * One loader serves one reading of the configuration, so a reload sees what changed in files and in what they import.
 */
export class PluginLoader {
  private readonly loaded = new Map<string, Promise<Plugin>>();

  /** @throws Error with a sentence for a person, and file and line where the plugin's own code is at fault */
  load(name: string, folder: string): Promise<Plugin> {
    const target = findTarget(name, folder);
    const key = target.isPackage ? `${folder}\0${name}` : target.specifier;
    let plugin = this.loaded.get(key);
    if (plugin === undefined) {
      plugin = importPlugin(name, target, folder);
      this.loaded.set(key, plugin);
    }
    return plugin;
  }
}

interface Target {
  readonly specifier: string;
  readonly isBuiltIn: boolean;
  readonly isPackage: boolean;
}

function findTarget(name: string, folder: string): Target {
  const file = findFile(name, folder);
  if (file !== undefined) return { specifier: pathToFileURL(file).href, isBuiltIn: false, isPackage: false };
  const own = new URL(`${name}${extension}`, builtIn);
  if (/^[a-z0-9-]+$/.test(name) && existsSync(own)) return { specifier: own.href, isBuiltIn: true, isPackage: false };
  if (!isInstalled(name, folder)) {
    throw new Error(`no built-in plugin, no file plugins/${name}.ts or .js, and no npm package has this name`);
  }
  return { specifier: name, isBuiltIn: false, isPackage: true };
}

/** A file in `plugins` takes precedence over a built-in plugin of its name: who writes one wants it. */
function findFile(name: string, folder: string): string | undefined {
  if (name.startsWith(".") || isAbsolute(name)) {
    const file = resolve(folder, name);
    if (!existsSync(file)) throw new Error(`there is no file ${file}`);
    return file;
  }
  if (!/^[\w-]+$/.test(name)) return undefined;
  for (const start of [folder, dirname(folder)]) {
    for (const ending of EXTENSIONS) {
      const file = join(start, "plugins", `${name}${ending}`);
      if (existsSync(file) && !file.startsWith(fileURLToPath(builtIn))) return file;
    }
  }
  return undefined;
}

function isInstalled(name: string, folder: string): boolean {
  const [scope = "", rest = ""] = name.split("/");
  const packageName = scope.startsWith("@") ? `${scope}/${rest}` : scope;
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, "node_modules", packageName, "package.json"))) return true;
    if (dirname(at) === at) return false;
  }
}

async function importPlugin(name: string, target: Target, folder: string): Promise<Plugin> {
  const module = target.isBuiltIn
    ? ((await import(target.specifier)) as Module)
    : await importFresh(target.specifier, folder);
  const plugin = defaultOf(module);
  if (!isPlugin(plugin)) throw new Error(`${name} has no default export made by definePlugin({ name, phase, options, setup })`);
  return plugin;
}

interface Module {
  readonly default?: unknown;
}

/** A module of CommonJS, as tsx gives it, has its exports under `default`. */
function defaultOf(module: Module): unknown {
  const { default: exported } = module;
  return isPlugin(exported) ? exported : ((exported as Module | undefined)?.default ?? exported);
}

async function importFresh(specifier: string, folder: string): Promise<Module> {
  const { tsImport } = await import("tsx/esm/api");
  process.setSourceMapsEnabled(true);
  doors.open();
  try {
    return (await tsImport(specifier, pathToFileURL(join(folder, "_.js")).href)) as Module;
  } catch (error) {
    throw new Error(describe(error), { cause: error });
  }
}

/** What went wrong, and where: esbuild writes file:line:column into the message, a throw has it in its stack. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const message = error.message.replace(/^Transform failed with \d+ errors?:\s*/, "");
  const at = /\(?((?:file:\/\/)?\/[^()\s]+?)(?:\?[^:)]*)?:(\d+):(\d+)\)?$/m.exec(error.stack?.split("\n    at ")[1] ?? "");
  if (at === null || message.includes(":ERROR") || / ERROR: /.test(message)) return message;
  return `${message} (${(at[1] as string).replace("file://", "")}:${at[2]}:${at[3]})`;
}

/**
 * `portico/plugin` and `portico/testing` mean this very gateway to any plugin, wherever its file stands: also where
 * nothing is installed beside it, and never a second copy of another version.
 */
const doors = {
  isOpen: false,
  open(): void {
    if (this.isOpen) return;
    this.isOpen = true;
    const urls = Object.fromEntries(
      ["plugin", "testing"].map((door) => [`portico/${door}`, new URL(`../${door}${extension}`, import.meta.url).href]),
    );
    const hook = `const doors = ${JSON.stringify(urls)};
      export const resolve = (specifier, context, next) =>
        Object.hasOwn(doors, specifier) ? { url: doors[specifier], shortCircuit: true } : next(specifier, context);`;
    register(`data:text/javascript,${encodeURIComponent(hook)}`);
  },
};

const isPlugin = (value: unknown): value is Plugin =>
  typeof value === "object" && value !== null && "setup" in value && "phase" in value && "options" in value;

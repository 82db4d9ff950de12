import { existsSync } from "node:fs";
import { dirname, extname, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "./contract.ts";
import { importUserCode } from "./user-code.ts";

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
  const own = new URL(`${name}${extension}`, builtIn);
  if (/^[a-z0-9-]+$/.test(name) && existsSync(own)) return { specifier: own.href, isBuiltIn: true, isPackage: false };
  const file = findFile(name, folder);
  if (file !== undefined) return { specifier: file, isBuiltIn: false, isPackage: false };
  if (!isInstalled(name, folder)) {
    throw new Error(`no built-in plugin, no file plugins/${name}.ts or .js, and no npm package has this name`);
  }
  return { specifier: name, isBuiltIn: false, isPackage: true };
}

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
      if (existsSync(file)) return file;
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
  const { specifier, isBuiltIn } = target;
  const module = (isBuiltIn ? await import(specifier) : await importUserCode(specifier, folder, doors)) as Module;
  const plugin = defaultOf(module);
  if (!isPlugin(plugin))
    throw new Error(`${name} has no default export made by definePlugin({ name, phase, options, setup })`);
  return plugin;
}

interface Module {
  readonly default?: unknown;
}

/** A module of CommonJS has its exports under `default`. */
function defaultOf(module: Module): unknown {
  const { default: exported } = module;
  return isPlugin(exported) ? exported : ((exported as Module | undefined)?.default ?? exported);
}

/**
 * `portico/plugin` and `portico/testing` mean this very gateway to any plugin, wherever its file stands: also where
 * nothing is installed beside it, and never a second copy of another version.
 */
const doors = new Map(
  ["plugin", "testing"].map((door) => [`portico/${door}`, new URL(`../${door}${extension}`, import.meta.url).href]),
);

const isPlugin = (value: unknown): value is Plugin =>
  typeof value === "object" && value !== null && "setup" in value && "phase" in value && "options" in value;

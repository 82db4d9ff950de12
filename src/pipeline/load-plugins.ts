import { existsSync } from "node:fs";
import { extname, isAbsolute, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Plugin } from "./contract.ts";

/** `.ts` when run from source, `.js` when built. */
const extension = extname(fileURLToPath(import.meta.url));
const builtIn = new URL("../../plugins/", import.meta.url);

/**
 * A plugin by name: a built-in one, a file (`./plugins/my-check.ts`, from the folder of the configuration), or an npm package.
 * @throws Error with a sentence for a person
 */
export async function loadPlugin(name: string, folder: string): Promise<Plugin> {
  const url = findPluginUrl(name, folder);
  const module = (await import(url)) as { default?: unknown };
  if (!isPlugin(module.default)) throw new Error(`${name} has no default export made by definePlugin`);
  return module.default;
}

function findPluginUrl(name: string, folder: string): string {
  if (name.startsWith(".") || isAbsolute(name)) {
    const file = resolve(folder, name);
    if (!existsSync(file)) throw new Error(`no file ${file}`);
    return pathToFileURL(file).href;
  }
  const file = new URL(`${name}${extension}`, builtIn);
  if (/^[a-z0-9-]+$/.test(name) && existsSync(file)) return file.href;
  const local = resolve(folder, "plugins", `${name}.js`);
  if (existsSync(local)) return pathToFileURL(local).href;
  throw new Error(`no plugin has the name ${name}`);
}

const isPlugin = (value: unknown): value is Plugin =>
  typeof value === "object" && value !== null && "setup" in value && "phase" in value && "options" in value;

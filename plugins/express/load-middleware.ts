import { existsSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Router } from "express";
import { importUserCode } from "../../src/plugin.ts";

/**
 * Loads an Express middleware and makes it with its options.
 * @param use npm name or file, from the configuration's folder; after `#` a member of what it exports
 * @param given what the export is called with: a list is several arguments
 * @throws Error with a sentence for a person
 */
export async function loadMiddleware(use: string, given: unknown, folder: string): Promise<Router> {
  const [specifier = "", member] = use.split("#");
  const isFile = specifier.startsWith(".") || isAbsolute(specifier);
  if (isFile && !existsSync(resolve(folder, specifier)))
    throw new Error(`there is no file ${resolve(folder, specifier)}`);
  const start = isFile || isInstalled(specifier, folder) ? folder : dirname(fileURLToPath(import.meta.url));
  if (!isFile && !isInstalled(specifier, start))
    throw new Error(`${specifier} is not installed: npm install ${specifier}`);
  let made = await importUserCode(isFile ? resolve(folder, specifier) : specifier, start, new Map());
  if (hasMember(made, "default")) made = made.default;
  // TypeScript's CommonJS keeps its default export a level deeper.
  if (typeof made !== "function" && hasMember(made, "default")) made = made.default;
  const owner = made;
  if (member !== undefined) made = hasMember(made, member) ? made[member] : undefined;
  const args = given === undefined ? [] : [given].flat();
  // A function of (request, response, next) is the middleware itself, any other makes one.
  if (typeof made === "function" && (made.length < 3 || args.length > 0)) made = await made.apply(owner, args);
  const layers = [made].flat(3);
  if (layers.length === 0 || !layers.every((layer) => typeof layer === "function")) {
    throw new Error(`${use} makes no middleware; export a function of (req, res, next), or one that makes it`);
  }
  return Router({ mergeParams: true }).use(...(layers as Parameters<Router["use"]>));
}

const hasMember = <K extends string>(value: unknown, key: K): value is Record<K, unknown> =>
  ((typeof value === "object" && value !== null) || typeof value === "function") && key in value;

function isInstalled(specifier: string, start: string): boolean {
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "node_modules", name))) return true;
    if (dirname(folder) === folder) return false;
  }
}

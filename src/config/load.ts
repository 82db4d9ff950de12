import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname, extname, join, relative, resolve } from "node:path";
import { checkOptions } from "./check.ts";
import type { Problem } from "./problem.ts";
import { PorticoOptions, RouteOptions } from "./schema.ts";
import { type ConfigSource, inlineSource, readConfigSource } from "./source.ts";

/** A route file, checked, and what tells where its parts stand. */
export interface RouteConfig {
  readonly source: ConfigSource;
  /** Of its file, the same on every machine: from the folder of the configuration. */
  readonly name: string;
  /** Relative paths of the route start here. */
  readonly folder: string;
  readonly options: RouteOptions;
}

export interface Config {
  readonly source: ConfigSource;
  readonly name: string;
  readonly folder: string;
  readonly options: PorticoOptions;
  readonly routes: readonly RouteConfig[];
}

/** Where a gateway's configuration is: a file, or values given in code. */
export interface ConfigInput {
  /** Path of portico.yaml; when undefined, `portico.yaml` in the folder if it is there. */
  readonly file?: string | undefined;
  /** Start of relative paths when there is no file. Default: the working directory. */
  readonly folder?: string | undefined;
  /** Instead of a file. */
  readonly options?: PorticoOptions | undefined;
  /** Instead of the folder of route files. */
  readonly routes?: readonly RouteOptions[] | undefined;
}

/** Reads everything; changes and runs nothing. */
export async function loadConfig(input: ConfigInput): Promise<{ config: Config; problems: Problem[] }> {
  const problems: Problem[] = [];
  const source = await mainSource(input, problems);
  problems.push(...checkOptions(source, PorticoOptions, source.value, []));
  const folder =
    input.options === undefined && input.file !== undefined
      ? dirname(resolve(input.file))
      : resolve(input.folder ?? ".");
  const options = problems.length > 0 ? soundPart(source) : (source.value as PorticoOptions);
  const routes: RouteConfig[] = [];
  for (const route of await routeSources(input, folder, options, problems)) {
    const found = checkOptions(route.source, RouteOptions, route.source.value, []);
    problems.push(...found);
    const name = route.source.file.startsWith("(") ? route.source.file : relative(folder, route.source.file);
    if (found.length === 0) routes.push({ ...route, name, options: route.source.value as RouteOptions });
  }
  return { config: { source, name: basename(source.file), folder, options, routes }, problems };
}

/** The keys that are right: what depends on them is checked, too, and not called wrong for want of them. */
function soundPart(source: ConfigSource): PorticoOptions {
  if (typeof source.value !== "object" || source.value === null) return {};
  const keys = Object.entries(source.value).filter(
    ([key, value]) => checkOptions(source, PorticoOptions, { [key]: structuredClone(value) }, []).length === 0,
  );
  return Object.fromEntries(keys);
}

async function mainSource(input: ConfigInput, problems: Problem[]): Promise<ConfigSource> {
  if (input.options !== undefined) return inlineSource("(options)", structuredClone(input.options));
  const file = input.file ?? join(input.folder ?? ".", "portico.yaml");
  if (input.file === undefined && !existsSync(file)) return inlineSource(file, {});
  const source = await readConfigSource(resolve(file));
  if (!Array.isArray(source)) return source.value === null ? { ...source, value: {} } : source;
  problems.push(...source);
  return inlineSource(file, {});
}

async function routeSources(
  input: ConfigInput,
  folder: string,
  options: PorticoOptions,
  problems: Problem[],
): Promise<{ source: ConfigSource; folder: string }[]> {
  if (input.routes !== undefined) {
    return input.routes.map((route, i) => ({ source: inlineSource(`(routes[${i}])`, structuredClone(route)), folder }));
  }
  const routesFolder = resolve(folder, options.routes ?? "./routes");
  let names: string[];
  try {
    names = (await readdir(routesFolder)).filter((name) => [".yaml", ".yml", ".json"].includes(extname(name))).sort();
  } catch {
    if (options.routes !== undefined) problems.push({ file: routesFolder, message: "is not a folder of route files" });
    return [];
  }
  const found: { source: ConfigSource; folder: string }[] = [];
  for (const name of names) {
    const source = await readConfigSource(join(routesFolder, name));
    if (Array.isArray(source)) problems.push(...source);
    else found.push({ source, folder: routesFolder });
  }
  return found;
}

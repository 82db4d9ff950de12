import { mkdir, readdir, writeFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { PorticoOptions, RouteOptions } from "../config/schema.ts";
import { PluginLoader } from "../pipeline/load-plugins.ts";

/** `portico schema [--out folder]`: the JSON Schemas of the configuration files, for editors. */
export async function schema(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { out: { type: "string" } } });
  const schemas = await configSchemas();
  if (values.out === undefined) {
    process.stdout.write(`${JSON.stringify(schemas, null, 2)}\n`);
    return 0;
  }
  await mkdir(values.out, { recursive: true });
  for (const [name, value] of Object.entries(schemas)) {
    await writeFile(join(values.out, `${name}.schema.json`), `${JSON.stringify(value, null, 2)}\n`);
  }
  return 0;
}

/** With the options of every built-in plugin, so that an editor completes them where they are written. */
async function configSchemas(): Promise<Record<"portico" | "route", object>> {
  const folder = fileURLToPath(new URL("../../plugins", import.meta.url));
  const names = (await readdir(folder).catch(() => [])).filter((name) => /^[a-z0-9-]+\.(js|ts)$/.test(name));
  const loader = new PluginLoader();
  const properties: Record<string, unknown> = {};
  for (const name of names.map((file) => basename(file, extname(file)))) {
    properties[name] = (await loader.load(name, folder)).options;
  }
  const entry = { anyOf: [{ enum: Object.keys(properties) }, { type: "object", properties }, { type: "string" }] };
  return {
    portico: withPlugins(PorticoOptions, "portico.yaml", entry),
    route: withPlugins(RouteOptions, "A route file", entry),
  };
}

function withPlugins(options: object, title: string, entry: object): object {
  const { properties, ...rest } = structuredClone(options) as { properties: Record<string, object> };
  const head = { $schema: "http://json-schema.org/draft-07/schema#", title };
  return { ...head, ...rest, properties: { ...properties, plugins: { type: "array", items: entry } } };
}

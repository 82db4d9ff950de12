import { createRequire } from "node:module";
import type { SchemaObject } from "./keywords.ts";

const load = createRequire(import.meta.url);
const PARTS = ["core", "applicator", "unevaluated", "validation", "meta-data", "format-annotation", "content"];

export const META_SCHEMA = "https://json-schema.org/draft/2020-12/";

/** The schemas that describe JSON Schema itself, for documents that take a schema as a value. Read when one does. */
export function metaSchemas(): SchemaObject {
  const definitions: SchemaObject = { "meta-schema": load("ajv/dist/refs/json-schema-2020-12/schema.json") };
  for (const part of PARTS) definitions[`meta-${part}`] = load(`ajv/dist/refs/json-schema-2020-12/meta/${part}.json`);
  return definitions;
}

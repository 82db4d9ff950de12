/** What stands under a keyword of JSON Schema 2020-12: which of its values are schemas in turn. */
export const SCHEMA_KEYWORDS: ReadonlySet<string> = new Set([
  "not",
  "if",
  "then",
  "else",
  "items",
  "additionalProperties",
  "contains",
  "propertyNames",
  "unevaluatedItems",
  "unevaluatedProperties",
  "contentSchema",
]);
export const SCHEMA_LIST_KEYWORDS: ReadonlySet<string> = new Set(["allOf", "anyOf", "oneOf", "prefixItems"]);
export const SCHEMA_MAP_KEYWORDS: ReadonlySet<string> = new Set([
  "properties",
  "patternProperties",
  "$defs",
  "definitions",
  "dependentSchemas",
]);

export type SchemaObject = Record<string, unknown>;
export const isObject = (value: unknown): value is SchemaObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Calls back for each schema directly under a schema. */
export function forEachSubschema(schema: SchemaObject, visit: (sub: unknown) => void): void {
  for (const keyword of Object.keys(schema)) {
    const value = schema[keyword];
    if (SCHEMA_KEYWORDS.has(keyword)) visit(value);
    else if (SCHEMA_LIST_KEYWORDS.has(keyword) && Array.isArray(value)) value.forEach(visit);
    else if (SCHEMA_MAP_KEYWORDS.has(keyword) && isObject(value)) Object.values(value).forEach(visit);
  }
}

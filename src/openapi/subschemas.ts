import { isObject, type Json } from "./json.ts";

export const SINGLE = new Set(
  (
    "items additionalItems additionalProperties unevaluatedItems unevaluatedProperties contains propertyNames " +
    "not if then else contentSchema"
  ).split(" "),
);
export const LIST = new Set(["allOf", "anyOf", "oneOf", "prefixItems", "items"]);
export const MAP = new Set(["properties", "patternProperties", "dependentSchemas"]);
/** Those that look at the same value as the schema they stand in. */
const IN_PLACE = new Set(["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"]);

/** Calls back for each schema directly inside one. */
export function eachSubschema(schema: Json, visit: (subschema: unknown, keyword: string) => void): void {
  for (const keyword in schema) {
    const value = schema[keyword];
    if (Array.isArray(value)) {
      if (LIST.has(keyword)) for (const item of value) visit(item, keyword);
    } else if (isObject(value)) {
      if (SINGLE.has(keyword)) visit(value, keyword);
      else if (MAP.has(keyword)) for (const name in value) visit(value[name], keyword);
    }
  }
}

/** The references that a schema applies to the very value that it looks at itself. */
export function inPlaceReferences(schema: unknown, found: string[] = []): string[] {
  if (!isObject(schema)) return found;
  for (const key of ["$ref", "$dynamicRef"]) {
    const reference = schema[key];
    if (typeof reference === "string") found.push(reference);
  }
  eachSubschema(schema, (subschema, keyword) => {
    if (IN_PLACE.has(keyword)) inPlaceReferences(subschema, found);
  });
  return found;
}

/** @returns whether following in-place references from one leads to the other: a circle that would never end */
export function leadsTo(from: string, to: string, find: (reference: string) => unknown): boolean {
  const seen = new Set([from]);
  const queue = [from];
  for (let reference = queue.pop(); reference !== undefined; reference = queue.pop()) {
    if (reference === to) return true;
    for (const next of inPlaceReferences(find(reference))) {
      if (seen.has(next)) continue;
      seen.add(next);
      queue.push(next);
    }
  }
  return false;
}

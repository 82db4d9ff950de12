import { isObject, type SchemaObject } from "../schema/keywords.ts";

const LEAST = new Set(["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"]);
const MOST = new Set(["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"]);

/** A schema that is about as strict as two together; what cannot be joined is taken from the second. */
export function mergeSchemas(a: SchemaObject, b: SchemaObject): SchemaObject {
  const merged: SchemaObject = { ...a };
  for (const keyword of Object.keys(b)) {
    const first = a[keyword];
    const second = b[keyword];
    if (first === undefined) merged[keyword] = second;
    else if (keyword === "properties")
      merged.properties = mergeProperties(first as SchemaObject, second as SchemaObject);
    else if (keyword === "required") merged.required = [...new Set([...(first as string[]), ...(second as string[])])];
    else if (keyword === "type") merged.type = commonTypes(first, second);
    else if (keyword === "enum")
      merged.enum = (first as unknown[]).filter((value) => (second as unknown[]).includes(value));
    else if (LEAST.has(keyword)) merged[keyword] = Math.min(first as number, second as number);
    else if (MOST.has(keyword)) merged[keyword] = Math.max(first as number, second as number);
    else merged[keyword] = second;
  }
  return merged;
}

function mergeProperties(a: SchemaObject, b: SchemaObject): SchemaObject {
  const merged: SchemaObject = { ...a };
  for (const name of Object.keys(b)) {
    const both = Object.hasOwn(a, name) && isObject(a[name]) && isObject(b[name]);
    merged[name] = both ? { allOf: [a[name], b[name]] } : b[name];
  }
  return merged;
}

function commonTypes(a: unknown, b: unknown): unknown {
  const second = [b].flat();
  const common = [a]
    .flat()
    .filter((type) => second.includes(type) || (type === "number" && second.includes("integer")));
  return common.length === 0 ? b : common.map((type) => (second.includes(type) ? type : "integer"));
}

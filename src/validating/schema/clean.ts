import { isObject, SCHEMA_KEYWORDS, SCHEMA_LIST_KEYWORDS, SCHEMA_MAP_KEYWORDS, type SchemaObject } from "./keywords.ts";

const TYPES = new Set(["null", "boolean", "object", "array", "number", "integer", "string"]);
const isCount = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0;
const isNumber = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value);
const isString = (value: unknown): boolean => typeof value === "string";

/** What the value of a keyword must be for the keyword to mean anything. */
const SHAPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  minLength: isCount,
  maxLength: isCount,
  minItems: isCount,
  maxItems: isCount,
  minProperties: isCount,
  maxProperties: isCount,
  minContains: isCount,
  maxContains: isCount,
  minimum: isNumber,
  maximum: isNumber,
  exclusiveMinimum: isNumber,
  exclusiveMaximum: isNumber,
  multipleOf: (value) => isNumber(value) && (value as number) > 0,
  pattern: isString,
  format: isString,
  $ref: isString,
  $dynamicRef: isString,
  $anchor: isString,
  $dynamicAnchor: isString,
  $id: isString,
  enum: Array.isArray,
  required: Array.isArray,
  dependentRequired: isObject,
  uniqueItems: (value) => value === true,
  readOnly: (value) => value === true,
  writeOnly: (value) => value === true,
};

/** Dropped: they say nothing about a value here, and a compiler could trip over them. */
const DROPPED = new Set(["$schema", "$async", "$vocabulary", "$comment", "nullable", "discriminator", "id"]);

/**
 * The keywords of a schema that can be checked, in the form the dialect wants: real documents hold `required: true`,
 * `type: file` and patterns of other languages, and none of that may become a 500 when a request comes.
 */
export function cleanSchema(schema: unknown): SchemaObject | boolean {
  if (typeof schema === "boolean") return schema;
  if (!isObject(schema)) return true;
  const clean: SchemaObject = {};
  for (const keyword of Object.keys(schema)) {
    const value = schema[keyword];
    if (DROPPED.has(keyword)) continue;
    if (SCHEMA_KEYWORDS.has(keyword)) cleanSingle(clean, keyword, value);
    else if (SCHEMA_LIST_KEYWORDS.has(keyword)) cleanList(clean, keyword, value);
    else if (SCHEMA_MAP_KEYWORDS.has(keyword)) cleanMap(clean, keyword, value);
    else if (keyword === "type") cleanType(clean, value);
    else if (keyword === "required") cleanRequired(clean, value);
    else if (keyword === "dependentRequired") cleanDependents(clean, value);
    else if (SHAPES[keyword]?.(value) ?? true) clean[keyword] = value;
  }
  return clean;
}

function cleanSingle(clean: SchemaObject, keyword: string, value: unknown): void {
  // `items: […]` is the tuple of older drafts.
  if (keyword === "items" && Array.isArray(value)) clean.prefixItems = value.map(cleanSchema);
  else if (isObject(value) || typeof value === "boolean") clean[keyword] = cleanSchema(value);
}

function cleanList(clean: SchemaObject, keyword: string, value: unknown): void {
  if (Array.isArray(value) && value.length > 0) clean[keyword] = value.map(cleanSchema);
}

function cleanMap(clean: SchemaObject, keyword: string, value: unknown): void {
  if (!isObject(value)) return;
  const map: SchemaObject = {};
  for (const name of Object.keys(value)) define(map, name, cleanSchema(value[name]));
  clean[keyword] = map;
}

function cleanType(clean: SchemaObject, value: unknown): void {
  const types = [value].flat().filter((type) => TYPES.has(type as string));
  if (types.length > 0) clean.type = types.length === 1 ? types[0] : types;
}

function cleanRequired(clean: SchemaObject, value: unknown): void {
  if (Array.isArray(value)) clean.required = [...new Set(value.filter(isString))];
}

function cleanDependents(clean: SchemaObject, value: unknown): void {
  if (!isObject(value)) return;
  const map: SchemaObject = {};
  for (const name of Object.keys(value)) {
    const names = value[name];
    if (Array.isArray(names)) define(map, name, [...new Set(names.filter(isString))]);
  }
  clean.dependentRequired = map;
}

/** `map["__proto__"] = …` would change the prototype instead. */
const define = (map: SchemaObject, name: string, value: unknown): void => {
  Object.defineProperty(map, name, { value, enumerable: true, configurable: true, writable: true });
};

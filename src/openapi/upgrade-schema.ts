import type { Dialect } from "./dialect.ts";
import { isObject, type Json } from "./json.ts";
import type { SpecVersion } from "./version.ts";

const TYPES = new Set(["null", "boolean", "object", "array", "number", "string", "integer"]);
const NUMBERS = new Set(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]);
const COUNTS = new Set(
  "minLength maxLength minItems maxItems minProperties maxProperties minContains maxContains".split(" "),
);
const MAPS = new Set(["properties", "patternProperties", "dependentSchemas"]);
const LISTS = new Set(["allOf", "anyOf", "oneOf"]);
/** Keywords that name and find schemas: once references are resolved they say nothing, and Ajv would object. */
const DROPPED = new Set(
  (
    "id $id $schema $anchor $dynamicAnchor $recursiveAnchor $recursiveRef $vocabulary $comment $defs definitions " +
    "dependencies nullable x-nullable"
  ).split(" "),
);

/**
 * One schema object's own keywords as JSON Schema 2020-12 has them; what is inside them is left as it is.
 * A keyword whose value cannot mean anything is left out: `required: true` of a draft long gone refuses no document.
 */
export function upgradeKeywords(schema: Json, version: SpecVersion, { unknown }: Dialect): Json {
  const upgraded: Json = {};
  for (const key in schema) {
    if (DROPPED.has(key) || unknown.has(key)) continue;
    const value = upgradeKeyword(key, schema[key]);
    if (value !== undefined) upgraded[key] = value;
  }
  setExclusive(upgraded, schema, "exclusiveMinimum", "minimum");
  setExclusive(upgraded, schema, "exclusiveMaximum", "maximum");
  if (Array.isArray(schema.items)) {
    upgraded.prefixItems = schema.items;
    if (schema.additionalItems === undefined) delete upgraded.items;
    else upgraded.items = schema.additionalItems;
  }
  addDependencies(upgraded, schema.dependencies);
  if (upgraded.type === "file") {
    upgraded.type = "string";
    upgraded.format = "binary";
  }
  if (schema.example !== undefined && upgraded.examples === undefined) upgraded.examples = [schema.example];
  const isOld = version === "2.0" || version === "3.0";
  // Nothing is one of no values (JSON Schema 2020-12); in older documents it is a slip.
  if (!isOld && Array.isArray(schema.enum)) upgraded.enum = schema.enum;
  return isOld && (schema.nullable === true || schema["x-nullable"] === true) ? allowNull(upgraded) : upgraded;
}

function upgradeKeyword(key: string, value: unknown): unknown {
  if (key === "type") return upgradeType(value);
  if (NUMBERS.has(key)) return toNumber(value);
  if (COUNTS.has(key)) {
    const count = toNumber(value);
    return count !== undefined && Number.isInteger(count) && count >= 0 ? count : undefined;
  }
  if (MAPS.has(key)) return isObject(value) ? value : undefined;
  if (LISTS.has(key)) return Array.isArray(value) && value.length > 0 ? value : undefined;
  if (key === "required") {
    return Array.isArray(value) ? [...new Set(value.filter((name) => typeof name === "string"))] : undefined;
  }
  if (key === "enum") return Array.isArray(value) && value.length > 0 ? value : undefined;
  if (key === "pattern") return typeof value === "string" && isPattern(value) ? value : undefined;
  if (key === "format") return typeof value === "string" ? value : undefined;
  if (key === "uniqueItems") return value === true ? true : undefined;
  if (key === "examples") return Array.isArray(value) ? value : undefined;
  return value;
}

function upgradeType(value: unknown): unknown {
  if (Array.isArray(value)) {
    const types = [...new Set(value.filter((type) => TYPES.has(type)))];
    return types.length > 0 && types.length === new Set(value).size ? types : undefined;
  }
  return typeof value === "string" && (TYPES.has(value) || value === "file") ? value : undefined;
}

const toNumber = (value: unknown): number | undefined => {
  if (typeof value === "number") return value;
  // Written in quotes, it still says which number.
  return typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value)) ? Number(value) : undefined;
};

export function isPattern(source: string): boolean {
  try {
    new RegExp(source, "u");
    return true;
  } catch {
    return false;
  }
}

/** What drafts before 2019-09 said in one keyword; later ones keep it for old schemas. */
function addDependencies(upgraded: Json, dependencies: unknown): void {
  if (!isObject(dependencies)) return;
  const entries = Object.entries(dependencies);
  const lists = entries.filter(([, value]) => Array.isArray(value));
  const schemas = entries.filter(([, value]) => isObject(value) || typeof value === "boolean");
  addNames(upgraded, "dependentRequired", lists);
  addNames(upgraded, "dependentSchemas", schemas);
}

/** What the schema itself says under a name of today goes first. */
function addNames(upgraded: Json, keyword: string, entries: readonly [string, unknown][]): void {
  if (entries.length === 0) return;
  const own = isObject(upgraded[keyword]) ? Object.entries(upgraded[keyword]) : [];
  upgraded[keyword] = Object.fromEntries([...entries, ...own]);
}

/** `exclusiveMinimum: true` of 3.0 makes `minimum` exclusive. */
function setExclusive(upgraded: Json, schema: Json, exclusive: string, inclusive: string): void {
  if (typeof schema[exclusive] !== "boolean") return;
  delete upgraded[exclusive];
  if (schema[exclusive] === true && upgraded[inclusive] !== undefined) {
    upgraded[exclusive] = upgraded[inclusive];
    delete upgraded[inclusive];
  }
}

/**
 * `nullable: true` allows null beside whatever else the schema says. The letter of 3.0.3 wants a `type` next to it and
 * null in an `enum`; documents without either are common, and none of them means that null is refused.
 */
function allowNull(schema: Json): Json {
  const { type, enum: values } = schema;
  const isSimple = !["allOf", "anyOf", "oneOf", "not", "const", "$ref"].some((key) => schema[key] !== undefined);
  if (!isSimple) return { anyOf: [{ type: "null" }, schema] };
  if (type !== undefined) schema.type = [...new Set([type, "null"].flat())];
  if (Array.isArray(values) && !values.includes(null)) schema.enum = [...values, null];
  return schema;
}

import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { ASSERTED_CONTENT } from "./content.ts";
import { findDuplicate, isMultiple } from "./equal.ts";
import { type Direction, isMember } from "./evaluation.ts";
import { FORMATS } from "./formats.ts";
import { forEachSubschema, isObject, type SchemaObject } from "./keywords.ts";
import { findMatcher } from "./pattern.ts";

/**
 * Ajv, with what it leaves to a client's mercy replaced: patterns in linear time, `uniqueItems` by hashing. It only says
 * yes or no, and stops at the first no; `evaluate.ts` explains.
 */
export function createCompiler(direction: Direction): (schema: SchemaObject | boolean) => ValidateFunction {
  const ajv = new Ajv2020({
    strict: false,
    logger: false,
    meta: false,
    validateSchema: false,
    addUsedSchema: false,
    allErrors: false,
    unicodeRegExp: true,
    code: { regExp: toRegExp },
  });
  for (const [name, format] of Object.entries(FORMATS)) ajv.addFormat(name, format as never);
  ajv.removeKeyword("uniqueItems");
  ajv.addKeyword({
    keyword: "uniqueItems",
    type: "array",
    schemaType: "boolean",
    errors: false,
    validate: (_: boolean, items: unknown[]) => findDuplicate(items) < 0,
  });
  ajv.removeKeyword("multipleOf");
  ajv.addKeyword({
    keyword: "multipleOf",
    type: "number",
    schemaType: "number",
    errors: false,
    validate: (factor: number, value: number) => isMultiple(value, factor),
  });
  const forbidden = direction === "request" ? "readOnly" : "writeOnly";
  ajv.removeKeyword(forbidden);
  ajv.addKeyword({
    keyword: forbidden,
    errors: false,
    validate: (_: boolean, __: unknown, ___: unknown, at?: { instancePath: string }) =>
      !isMember(at?.instancePath ?? ""),
  });
  return (schema) => ajv.compile(schema);
}

/** Ajv takes an engine for its patterns, by way of the code it would write to a file: `code` is that. */
const toRegExp = Object.assign(
  (source: string) => {
    const matcher = findMatcher(source) ?? { test: () => true };
    // Ajv tells patterns apart by this text.
    return { test: (text: string) => matcher.test(text), toString: () => `/${source}/` };
  },
  { code: "require('./pattern.ts').findMatcher" },
);

const NEEDS_EVALUATOR = new Set([
  "$dynamicRef",
  "$dynamicAnchor",
  "$anchor",
  "unevaluatedItems",
  "unevaluatedProperties",
  ASSERTED_CONTENT,
]);
const NAMED = new Set(["properties", "dependentRequired", "dependentSchemas"]);
const BARE_REFERENCE = /^#(?:\/\$defs\/[^/%~]+)?$/;

const isPlainEnum = (values: readonly unknown[]): boolean =>
  values.length > 0 && values.every((value) => typeof value !== "object" || value === null);

/**
 * True for schemas that Ajv reads as JSON Schema 2020-12 means them. The others, measured with JSON-Schema-Test-Suite:
 * references into embedded resources, `$dynamicRef`, the `unevaluated…` pair, members named as Object's own.
 */
export function isCompilable(schema: unknown, isRoot = true): boolean {
  if (!isObject(schema)) return true;
  for (const keyword of Object.keys(schema)) {
    if (NEEDS_EVALUATOR.has(keyword)) return false;
    if (keyword === "$id" && !isRoot) return false;
    if (keyword === "$ref" && !BARE_REFERENCE.test(schema.$ref as string)) return false;
    if (keyword === "required" && (schema.required as string[]).some((name) => name in Object.prototype)) return false;
    // Ajv compares constructors, too, and what is read from a query has none.
    if (keyword === "const" && !isPlainEnum([schema.const])) return false;
    if (keyword === "enum" && !isPlainEnum(schema.enum as unknown[])) return false;
    // Ajv asks `data.name !== undefined`, which is true of what every object inherits.
    if (NAMED.has(keyword) && Object.keys(schema[keyword] as object).some((name) => name in Object.prototype))
      return false;
  }
  let isGood = true;
  forEachSubschema(schema, (sub) => {
    isGood &&= isCompilable(sub, false);
  });
  return isGood;
}

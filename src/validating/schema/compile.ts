import { _, Ajv2020, type KeywordCxt, type ValidateFunction } from "ajv/dist/2020.js";
import { lazy } from "../../core/lazy.ts";
import { ASSERTED_CONTENT } from "./content.ts";
import { findDuplicate, isMultiple } from "./equal.ts";
import { type Direction, isMember } from "./evaluation.ts";
import { FORMATS } from "./formats.ts";
import { forEachSubschema, isObject, type SchemaObject } from "./keywords.ts";
import { findMatcher } from "./pattern.ts";
import { UnevaluatedTests } from "./unevaluated.ts";

type Compile = (schema: SchemaObject | boolean) => ValidateFunction;

/** Compiles yes or no of a schema; it stops at the first no, and `evaluate.ts` explains. */
export function createCompiler(direction: Direction): Compile {
  const quick = lazy(() => createAjv(direction, false));
  const careful = lazy(() => createAjv(direction, true));
  return (schema) => (namesInherited(schema) ? careful() : quick()).compile(schema);
}

/**
 * Ajv, with what it leaves to a client's mercy replaced: patterns in linear time, `uniqueItems` by hashing.
 * @param ownProperties asks of each member whether it is the object's own: what every object inherits is no member
 */
function createAjv(direction: Direction, ownProperties: boolean): Ajv2020 {
  const ajv = new Ajv2020({
    ownProperties,
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
  addTuples(ajv);
  addUnevaluated(ajv, forbidden);
  return ajv;
}

/** Ajv's own leaves out every keyword that comes after it when an array is shorter than the tuple. */
function addTuples(ajv: Ajv2020): void {
  ajv.removeKeyword("prefixItems");
  ajv.addKeyword({
    keyword: "prefixItems",
    type: "array",
    schemaType: "array",
    code(context: KeywordCxt) {
      const { gen, data } = context;
      const isValid = gen.var("valid", true);
      (context.schema as readonly unknown[]).forEach((_sub, i) => {
        const isThere = _`${isValid} && ${data}.length > ${i}`;
        gen.if(isThere, () => context.subschema({ keyword: "prefixItems", schemaProp: i, dataProp: i }, isValid));
      });
      context.ok(isValid);
    },
  });
}

/** Ajv's own follow neither `if` nor `contains`, forget what was known before a branch, and take inherited names for known. */
function addUnevaluated(ajv: Ajv2020, forbidden: string): void {
  // Without it a check ends with the first branch that holds.
  ajv.opts.unevaluated = false;
  const testsOf = (it: { readonly schemaEnv: { readonly root: { readonly schema: unknown } } }): UnevaluatedTests =>
    new UnevaluatedTests(it.schemaEnv.root.schema as SchemaObject, forbidden, (schema) => ajv.compile(schema));
  const schemaType: ("object" | "boolean")[] = ["object", "boolean"];
  ajv.removeKeyword("unevaluatedProperties");
  ajv.addKeyword({
    keyword: "unevaluatedProperties",
    type: "object",
    schemaType,
    errors: false,
    compile: (_, parent, it) => testsOf(it).ofProperties(parent),
  });
  ajv.removeKeyword("unevaluatedItems");
  ajv.addKeyword({
    keyword: "unevaluatedItems",
    type: "array",
    schemaType,
    errors: false,
    compile: (_, parent, it) => testsOf(it).ofItems(parent),
  });
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

const NEEDS_EVALUATOR = new Set(["$dynamicRef", "$dynamicAnchor", "$anchor", ASSERTED_CONTENT]);
const UNEVALUATED = ["unevaluatedItems", "unevaluatedProperties"];
const NAMED = ["properties", "dependentRequired", "dependentSchemas"];
const BARE_REFERENCE = /^#(?:\/\$defs\/[^/%~]+)?$/;

const isPlainEnum = (values: readonly unknown[]): boolean =>
  values.length > 0 && values.every((value) => typeof value !== "object" || value === null);

/**
 * True for schemas that Ajv reads as JSON Schema 2020-12 means them. The others, measured with JSON-Schema-Test-Suite:
 * references into embedded resources, `$dynamicRef`, objects and arrays as allowed values, a member named `__proto__`.
 */
export function isCompilable(schema: unknown): boolean {
  // The branches of such schemas are compiled apart from the root.
  const isApart = UNEVALUATED.some((keyword) => mentions(schema, keyword));
  return everySchema(schema, isPlain) && (!isApart || hasParts(schema));
}

/** True where what stands inside a schema means the same in another one with the same definitions. */
export const hasParts = (schema: unknown): boolean => !mentions(schema, "$ref", "#");

function isPlain(schema: SchemaObject, isRoot: boolean): boolean {
  for (const keyword of Object.keys(schema)) {
    if (NEEDS_EVALUATOR.has(keyword)) return false;
    if (keyword === "$id" && !isRoot) return false;
    if (keyword === "$ref" && !BARE_REFERENCE.test(schema.$ref as string)) return false;
    // Ajv compares constructors, too, and what is read from a query has none.
    if (keyword === "const" && !isPlainEnum([schema.const])) return false;
    if (keyword === "enum" && !isPlainEnum(schema.enum as unknown[])) return false;
  }
  // Ajv leaves out the member of that name.
  return !namesOf(schema).includes("__proto__");
}

/** Names of members that a schema speaks of. */
function namesOf(schema: SchemaObject): unknown[] {
  const dependent = isObject(schema.dependentRequired) ? Object.values(schema.dependentRequired) : [];
  const names = NAMED.flatMap((keyword) => (isObject(schema[keyword]) ? Object.keys(schema[keyword]) : []));
  return [...names, ...[schema.required ?? [], ...dependent].flat()];
}

/** Ajv asks `data.name !== undefined`, which is true of what every object inherits. */
const namesInherited = (schema: unknown): boolean =>
  !everySchema(schema, (part) => !namesOf(part).some((name) => String(name) in Object.prototype));

const mentions = (schema: unknown, keyword: string, value?: unknown): boolean =>
  !everySchema(schema, (part) => part[keyword] === undefined || (value !== undefined && part[keyword] !== value));

/** Whether a test holds of a schema and of all inside it. */
function everySchema(
  schema: unknown,
  test: (schema: SchemaObject, isRoot: boolean) => boolean,
  isRoot = true,
): boolean {
  if (!isObject(schema)) return true;
  if (!test(schema, isRoot)) return false;
  let isGood = true;
  forEachSubschema(schema, (sub) => {
    isGood &&= everySchema(sub, test, false);
  });
  return isGood;
}

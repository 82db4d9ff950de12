import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { SpecInfo } from "../../src/core/operation.ts";
import { SchemaCheck } from "../../src/validating/schema/check.ts";
import { cleanSchema } from "../../src/validating/schema/clean.ts";
import { createCompiler, isCompilable } from "../../src/validating/schema/compile.ts";
import { Evaluator } from "../../src/validating/schema/evaluate.ts";
import { forks } from "../../src/validating/schema/forks.ts";
import type { SchemaObject } from "../../src/validating/schema/keywords.ts";

const spec = { bundle: (schema: unknown) => schema } as SpecInfo;

/** A schema, what it takes, and what it refuses. */
type Row = readonly [what: string, schema: object, taken: readonly string[], refused: readonly string[]];

const only = (name: string): object => ({ properties: { [name]: { const: 1 } }, required: [name] });

const ROWS: readonly Row[] = [
  [
    "members of the branch that holds are known, those of the others are not",
    { anyOf: [only("a"), only("b")], unevaluatedProperties: false },
    ['{"a":1}', '{"b":1}', '{"a":1,"b":1}'],
    ['{"a":1,"b":2}', '{"a":1,"c":1}'],
  ],
  [
    "what is known before a branch stays known when the branch does not hold",
    { allOf: [{ properties: { z: {} } }], anyOf: [only("a"), true], unevaluatedProperties: false },
    ['{"z":1}', '{"z":1,"a":1}'],
    ['{"z":1,"a":2}'],
  ],
  [
    "an if that does not hold makes nothing known, one that holds does without then",
    { if: only("a"), unevaluatedProperties: false },
    ['{"a":1}', "{}"],
    ['{"a":2}', '{"a":1,"b":1}'],
  ],
  [
    "a condition counts with its then, and without it with its else",
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    { if: only("a"), then: { properties: { t: {} } }, else: { properties: { e: {} } }, unevaluatedProperties: false },
    ['{"a":1,"t":1}', '{"e":1}'],
    ['{"a":1,"e":1}', '{"t":1}'],
  ],
  [
    "a dependent schema counts once its member is there",
    { properties: { a: {} }, dependentSchemas: { a: { properties: { b: {} } } }, unevaluatedProperties: false },
    ['{"a":1,"b":1}', "{}"],
    ['{"b":1}'],
  ],
  [
    "what every object inherits is not known for that",
    { anyOf: [only("a"), true], unevaluatedProperties: false },
    ['{"a":1}'],
    ['{"constructor":1}', '{"toString":1}', '{"__proto__":1}', '{"hasOwnProperty":1}'],
  ],
  [
    "members whose names mean something to JavaScript are members like any other",
    {
      properties: { constructor: { type: "number" } },
      required: ["valueOf"],
      unevaluatedProperties: { type: "string" },
    },
    ['{"constructor":1,"valueOf":"x"}', '{"valueOf":"x","toString":"x"}'],
    ["{}", '{"constructor":1}', '{"constructor":"x","valueOf":"x"}', '{"valueOf":"x","toString":1}'],
  ],
  [
    "a pattern of a branch makes known what it matches",
    { oneOf: [{ patternProperties: { "^x-": {} }, required: ["x-a"] }, only("b")], unevaluatedProperties: false },
    ['{"x-a":1,"x-b":2}', '{"b":1}'],
    ['{"x-b":1,"b":1}', '{"x-a":1,"y":1}'],
  ],
  [
    "items of the branch that holds are known",
    {
      anyOf: [{ items: { type: "string" } }, { prefixItems: [{ type: "number" }] }],
      unevaluatedItems: { type: "boolean" },
    },
    ['["a","b"]', "[1,true]", "[1]", "[]"],
    ['[1,"a"]', "[true]"],
  ],
  [
    "items that contains has found are known",
    { prefixItems: [true], contains: { type: "string" }, minContains: 0, unevaluatedItems: false },
    ['[1,"a","b"]', "[1]", '["a"]'],
    ["[1,2]", '[1,"a",2]'],
  ],
];

const TUPLE = [{ type: "string" }, { type: "string" }, { type: "string" }];
const OF_TUPLES: readonly Row[] = [
  [
    "an array that is shorter than its tuple is held to everything else",
    { prefixItems: TUPLE, uniqueItems: true, contains: { const: "a" } },
    ['["a","b"]', '["b","c","a"]'],
    ['["a","a"]', "[]", '["b"]', '["a",1]'],
  ],
];

for (const [what, schema, taken, refused] of [...ROWS, ...OF_TUPLES]) {
  test(what, () => {
    assert.ok(isCompilable(cleanSchema(schema)), "it is compiled");
    const check = new SchemaCheck(spec, schema as never, "request");
    for (const text of taken) assert.equal(check.isValid(JSON.parse(text)), true, `${text} is refused`);
    for (const text of refused) assert.equal(check.isValid(JSON.parse(text)), false, `${text} is taken`);
  });
}

const names = fc.constantFrom("a", "b", "c", "constructor");
const leaf = fc.constantFrom<unknown>(
  true,
  { type: "string" },
  { type: "number" },
  { const: 1 },
  { type: ["null", "boolean"] },
);
const refers = fc.constantFrom("#/$defs/one", "#/$defs/two").map((reference) => ({ $ref: reference }));
/** Schemas of objects and arrays, of which any can be within any. @param least those without anything inside */
const schemasOf = (least: fc.Arbitrary<unknown>): fc.Arbitrary<object | boolean> =>
  fc.letrec<{ schema: object | boolean }>((tie) => {
    const sub = tie("schema");
    const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
      fc.option(arbitrary, { nil: undefined, freq: 4 });
    const list = fc.array(sub, { minLength: 1, maxLength: 3 });
    const members = {
      properties: optional(fc.dictionary(names, fc.oneof(leaf, sub), { maxKeys: 3 })),
      patternProperties: optional(fc.dictionary(fc.constantFrom("^a", "b$", "^[cd]"), leaf, { maxKeys: 1 })),
      additionalProperties: optional(leaf),
      required: optional(fc.uniqueArray(names, { maxLength: 2 })),
      dependentSchemas: optional(fc.dictionary(names, sub, { maxKeys: 1 })),
      unevaluatedProperties: optional(fc.oneof(fc.constant(false), leaf, sub)),
    };
    const items = {
      prefixItems: optional(fc.array(fc.oneof(leaf, sub), { minLength: 1, maxLength: 2 })),
      items: optional(leaf),
      contains: optional(leaf),
      minContains: optional(fc.nat(2)),
      unevaluatedItems: optional(fc.oneof(fc.constant(false), leaf)),
    };
    const inPlace = {
      allOf: optional(list),
      anyOf: optional(list),
      oneOf: optional(list),
      not: optional(sub),
      if: optional(sub),
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: optional(sub),
      else: optional(sub),
    };
    const some = fc
      .record({ ...members, ...items, ...inPlace })
      .map((record) => JSON.parse(JSON.stringify(record)) as object);
    return { schema: fc.oneof({ depthSize: "small", maxDepth: 4 }, fc.boolean(), least as fc.Arbitrary<object>, some) };
  }).schema;
// They do not refer to each other: a schema that applies itself to the same value has no meaning to compare.
const definitions = schemasOf(leaf);
const roots = fc
  .record({ root: schemasOf(fc.oneof(leaf, refers)), one: definitions, two: definitions })
  .map(({ root, one, two }) => ({ allOf: [root], $defs: { one, two } }));
const scalars = fc.constantFrom<unknown>(1, 2, "x", null, true);
const { value: values } = fc.letrec<{ value: unknown }>((tie) => {
  const inner = fc.oneof({ depthSize: "small", maxDepth: 3 }, scalars, tie("value"));
  const members = fc.dictionary(fc.oneof(names, fc.constantFrom("d", "toString")), inner, { maxKeys: 4 });
  return { value: fc.oneof({ withCrossShrink: true }, members, fc.array(inner, { maxLength: 4 }), scalars) };
});

test("what is compiled and the evaluator agree, whatever stands around unevaluated members and items", () => {
  const compile = createCompiler("request");
  let compared = 0;
  fc.assert(
    fc.property(roots, fc.array(values, { minLength: 8, maxLength: 8 }), (root, candidates) => {
      const schema = cleanSchema(root) as SchemaObject;
      const evaluator = new Evaluator(schema, "request");
      if (!isCompilable(schema) || forks(schema)) return;
      const validate = compile(schema);
      for (const value of candidates) {
        compared++;
        assert.equal(validate(value), evaluator.isValid(value), JSON.stringify({ schema, value }));
      }
    }),
    { numRuns: 300 },
  );
  assert.ok(compared > 500, `only ${compared} were compared`);
});

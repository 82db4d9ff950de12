import assert from "node:assert/strict";
import { test } from "node:test";
import { SchemaCheck } from "../../src/validating/schema/check.ts";
import { documentOf, specOf } from "../support/spec-files.ts";

const DRAFT_04 = "http://json-schema.org/draft-04/schema#";
const DRAFT_06 = "http://json-schema.org/draft-06/schema#";
const DRAFT_07 = "http://json-schema.org/draft-07/schema#";
const DRAFT_2019 = "https://json-schema.org/draft/2019-09/schema";
const DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema";
const WITHOUT_VALIDATION = {
  $schema: DRAFT_2020,
  $id: "https://example.com/no-validation",
  $vocabulary: { "https://json-schema.org/draft/2020-12/vocab/core": true },
};

/** A schema, what it takes, and what it refuses. */
type Row = readonly [what: string, schema: object, taken: readonly unknown[], refused: readonly unknown[]];

const tree = (anchor: object): object => ({
  $schema: DRAFT_2019,
  $id: "https://example.com/strict",
  ...anchor,
  $ref: "https://example.com/tree",
  unevaluatedProperties: false,
  $defs: {
    tree: {
      $id: "https://example.com/tree",
      $recursiveAnchor: true,
      properties: { value: {}, kids: { type: "array", items: { $recursiveRef: "#" } } },
    },
  },
});

const ROWS: readonly Row[] = [
  [
    "2020-12 beside a reference has the rest of the schema",
    { $schema: DRAFT_2020, $id: "https://example.com/a", $ref: "#/$defs/a", maximum: 3, $defs: { a: { minimum: 1 } } },
    [1, 3],
    [0, 4],
  ],
  [
    "draft 7 beside a reference has nothing, not even a name",
    {
      $schema: DRAFT_07,
      $id: "https://example.com/a",
      properties: { x: { $id: "https://example.com/b", $ref: "#/definitions/a", maximum: 3 } },
      definitions: { a: { minimum: 1 } },
    },
    [{ x: 1 }, { x: 4 }],
    [{ x: 0 }],
  ],
  [
    "draft 7 names a place by #name in $id",
    {
      $schema: DRAFT_07,
      $id: "https://example.com/a",
      $ref: "#here",
      definitions: { a: { $id: "#here", minimum: 1 } },
    },
    [1],
    [0],
  ],
  [
    "draft 7 knows no dependentRequired, and has dependencies",
    { $schema: DRAFT_07, dependentRequired: { a: ["z"] }, dependencies: { a: ["b"], c: { required: ["d"] } } },
    [
      { a: 1, b: 1 },
      { c: 1, d: 1 },
    ],
    [{ a: 1 }, { c: 1 }],
  ],
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  ["draft 6 knows no if", { $schema: DRAFT_06, if: true, then: false, const: 1 }, [1], [2]],
  [
    "draft 4 names schemas by id, and makes a limit exclusive by a boolean",
    {
      $schema: DRAFT_04,
      id: "https://example.com/a/",
      properties: { x: { $ref: "b" } },
      definitions: { b: { id: "b", minimum: 1, exclusiveMinimum: true }, c: { const: 1 } },
    },
    [{ x: 2 }],
    [{ x: 1 }],
  ],
  [
    "2019-09 has items for a tuple, and no prefixItems",
    { $schema: DRAFT_2019, items: [{ type: "string" }], additionalItems: { type: "boolean" }, prefixItems: [false] },
    [["a"], ["a", true]],
    [[1], ["a", 1]],
  ],
  [
    "2019-09 comes back to the outermost schema that says it is recursive",
    tree({ $recursiveAnchor: true }),
    [{ value: 1, kids: [{ value: 2 }] }],
    [{ kids: [{ valeu: 2 }] }, { valeu: 1 }],
  ],
  ["2019-09 comes back to itself where the outer one does not", tree({}), [{ kids: [{ valeu: 2 }] }], [{ valeu: 1 }]],
  [
    "2020-12 knows no $recursiveRef",
    { $schema: DRAFT_2020, properties: { a: { $recursiveRef: "#" } } },
    [{ a: 1 }],
    [],
  ],
  [
    "a schema that is written in another dialect than the one that refers to it is read in its own",
    {
      $schema: DRAFT_2020,
      prefixItems: [{ $ref: "https://example.com/old" }],
      $defs: { old: { $id: "https://example.com/old", $schema: DRAFT_2019, prefixItems: [{ type: "string" }] } },
    },
    [[[1]]],
    [],
  ],
  [
    "a dialect of the folder's own that has no validation asserts nothing",
    { $schema: "https://example.com/no-validation", properties: { a: false, b: { minimum: 3 } } },
    [{ b: 1 }],
    [{ a: 1 }],
  ],
  [
    "a dialect that nobody knows is read as 2020-12",
    { $schema: "https://example.com/?", prefixItems: [false] },
    [[]],
    [[1]],
  ],
  [
    "a name inside an unknown keyword names nothing",
    {
      properties: { a: { $ref: "https://example.com/named" } },
      $defs: {
        decoy: { not: { whatever: { $id: "https://example.com/named", type: "null" } } },
        real: { $id: "https://example.com/named", type: "string" },
        other: { alsoUnknown: [{ $id: "https://example.com/named", type: "null" }] },
      },
    },
    [{ a: "x" }],
    [{ a: null }],
  ],
  [
    "a file that is true takes all",
    { properties: { a: { $ref: "all.json" }, b: { $ref: "none.json" } } },
    [{ a: 1 }],
    [{ b: 1 }],
  ],
];

for (const [what, schema, taken, refused] of ROWS) {
  test(what, async (t) => {
    const files = { "meta.json": WITHOUT_VALIDATION, "all.json": "true", "none.json": "false" };
    const check = bodyOf(await specOf(t, { "spec.json": documentOf(schema), ...files }));
    for (const value of taken) assert.equal(check.isValid(value), true, `${JSON.stringify(value)} is refused`);
    for (const value of refused) assert.equal(check.isValid(value), false, `${JSON.stringify(value)} is taken`);
  });
}

test("a document says which dialect its schemas are written in, once for all of them", async (t) => {
  const document = { ...documentOf({ $ref: "#/components/schemas/A", maximum: 3 }, { A: { minimum: 1 } }) };
  const usual = bodyOf(await specOf(t, { "spec.json": document }));
  assert.equal(usual.isValid(4), false);
  const old = bodyOf(await specOf(t, { "spec.json": { ...document, jsonSchemaDialect: DRAFT_07 } }));
  assert.deepEqual([old.isValid(4), old.isValid(0)], [true, false]);
});

const DESCRIPTIONS: readonly (readonly [uri: string, openapi: string, refused: object])[] = [
  [DRAFT_2020, "3.1.0", { properties: { a: { minLength: -1 } } }],
  [DRAFT_2019, "3.1.0", { $defs: { a: { items: [{ type: "text" }] } } }],
  [DRAFT_07, "3.1.0", { allOf: [{ if: 1 }] }],
  [DRAFT_06, "3.0.3", { items: { const: 1, required: "a" } }],
  [DRAFT_04, "3.0.3", { additionalProperties: { exclusiveMinimum: true } }],
];
for (const [uri, openapi, refused] of DESCRIPTIONS) {
  test(`a body may be a schema, as ${uri} describes it, without a fetch`, async (t) => {
    const spec = await specOf(t, { "spec.json": documentOf({ $ref: uri }, {}, openapi) });
    const check = bodyOf(spec);
    const schema = { properties: { a: { type: ["string", "null"], minLength: 1 } }, anyOf: [{ pattern: "^a" }] };
    assert.equal(check.isValid(schema), true);
    assert.equal(check.isValid(refused), false);
    assert.deepEqual([...spec.files.paths].length, 1, "it is no file that could change");
  });
}

function bodyOf(spec: Awaited<ReturnType<typeof specOf>>): SchemaCheck {
  return new SchemaCheck(spec.info, spec.operations[0]?.requestBody?.content[0]?.schema ?? false, "request");
}

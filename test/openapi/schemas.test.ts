import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyCheck, documentOf, specOf } from "../support/spec-files.ts";

type Case = readonly [
  what: string,
  version: string,
  schema: object,
  valid: readonly unknown[],
  invalid: readonly unknown[],
];

const CASES: readonly Case[] = [
  ["nullable with a type", "3.0.3", { type: "string", nullable: true }, [null, "a"], [1]],
  ["nullable with an enum", "3.0.3", { type: "string", nullable: true, enum: ["a"] }, [null, "a"], ["b"]],
  [
    "nullable around allOf",
    "3.0.3",
    { nullable: true, allOf: [{ $ref: "#/components/schemas/Pet" }] },
    [null, { name: "a" }],
    [1, {}],
  ],
  ["nullable in 3.1, where it says nothing", "3.1.0", { type: "string", nullable: true }, ["a"], [null]],
  ["a boolean exclusiveMinimum", "3.0.3", { type: "number", minimum: 1, exclusiveMinimum: true }, [1.1], [1]],
  ["a false exclusiveMaximum", "3.0.3", { type: "number", maximum: 1, exclusiveMaximum: false }, [1], [1.1]],
  ["a number as exclusiveMinimum", "3.1.0", { type: "number", exclusiveMinimum: 1 }, [1.1], [1]],
  [
    "what stands beside $ref in 3.0",
    "3.0.3",
    { $ref: "#/components/schemas/Pet", required: ["age"] },
    [{ name: "a" }],
    [{}],
  ],
  [
    "what stands beside $ref in 3.1",
    "3.1.0",
    { $ref: "#/components/schemas/Pet", required: ["age"] },
    [{ name: "a", age: 1 }],
    [{ name: "a" }],
  ],
  [
    "a recursive schema",
    "3.1.0",
    { $ref: "#/components/schemas/Tree" },
    [{ kids: [{ kids: [] }] }],
    [{ kids: [{ kids: 1 }] }],
  ],
  ["names that need escapes", "3.1.0", { $ref: "#/components/schemas/a~1b~0c%20d" }, [1], ["a"]],
  ["an anchor", "3.1.0", { $ref: "#named" }, [true], [1]],
  ["an $id", "3.1.0", { $ref: "https://example.com/schemas/count" }, [1], ["a"]],
  ["a reference inside an $id", "3.1.0", { $ref: "https://example.com/schemas/list" }, [[1]], [["a"]]],
  ["a property named $ref", "3.1.0", { properties: { $ref: { type: "string" } } }, [{ $ref: "a" }], [{ $ref: 1 }]],
  ["a const that looks like a reference", "3.1.0", { const: { $ref: "#/none" } }, [{ $ref: "#/none" }], [{}]],
  [
    "keywords that mean nothing",
    "3.0.3",
    { type: "string", required: true, maxLength: "2", pattern: "(" },
    ["ab"],
    ["abc", 1],
  ],
  ["a tuple of old", "3.0.3", { type: "array", items: [{ type: "string" }] }, [["a"]], [[1]]],
];

const SCHEMAS = {
  Pet: { type: "object", required: ["name"], properties: { name: { type: "string" } } },
  Tree: { type: "object", properties: { kids: { type: "array", items: { $ref: "#/components/schemas/Tree" } } } },
  "a/b~c d": { type: "integer" },
  Named: { $anchor: "named", type: "boolean" },
  Count: { $id: "https://example.com/schemas/count", type: "integer" },
  List: { $id: "https://example.com/schemas/list", type: "array", items: { $ref: "count" } },
};

for (const [what, version, schema, valid, invalid] of CASES) {
  test(`${what} (${version})`, async (t) => {
    const isValid = bodyCheck(await specOf(t, { "api.json": documentOf(schema, SCHEMAS, version) }));
    for (const value of valid) assert.ok(isValid(value), `${JSON.stringify(value)} should be valid`);
    for (const value of invalid) assert.ok(!isValid(value), `${JSON.stringify(value)} should be invalid`);
  });
}

const ANIMALS = {
  Cat: {
    type: "object",
    required: ["kind", "lives"],
    properties: { kind: { type: "string" }, lives: { type: "integer" } },
  },
  Dog: { type: "object", required: ["kind"], properties: { kind: { type: "string" }, bark: { type: "string" } } },
};
const ONE_OF = {
  oneOf: [{ $ref: "#/components/schemas/Cat" }, { $ref: "#/components/schemas/Dog" }],
  discriminator: { propertyName: "kind", mapping: { cat: "#/components/schemas/Cat" } },
};

test("a discriminator of 3.0 says which schema applies, where several would fit", async (t) => {
  const isValid = bodyCheck(await specOf(t, { "api.json": documentOf(ONE_OF, ANIMALS, "3.0.3") }));
  assert.ok(isValid({ kind: "cat", lives: 9 }));
  assert.ok(isValid({ kind: "Dog", lives: 9 }));
  assert.ok(!isValid({ kind: "cat" }));
  assert.ok(!isValid({ kind: "bird", lives: 1 }));
  assert.ok(!isValid({ lives: 1 }));
});

test("a name chooses its schema beside a mapping, unless the mapping gives it to another one", async (t) => {
  const isValid = bodyCheck(await specOf(t, { "api.json": documentOf(ONE_OF, ANIMALS, "3.0.3") }));
  assert.ok(isValid({ kind: "Cat", lives: 9 }));
  assert.ok(!isValid({ kind: "Cat" }));
  const mapping = { Cat: "#/components/schemas/Dog", cat: "#/components/schemas/Cat" };
  const swapped = { ...ONE_OF, discriminator: { propertyName: "kind", mapping } };
  const isValidSwapped = bodyCheck(await specOf(t, { "api.json": documentOf(swapped, ANIMALS, "3.0.3") }));
  assert.ok(isValidSwapped({ kind: "Cat" }));
  assert.ok(!isValidSwapped({ kind: "cat" }));
});

test("where a schema does not require the discriminator's property, the schemas decide without it", async (t) => {
  const schemas = {
    Circle: { type: "object", required: ["radius"], properties: { kind: { type: "string" } } },
    Square: { type: "object", required: ["side"], properties: { kind: { type: "string" } } },
  };
  const oneOf = [{ $ref: "#/components/schemas/Circle" }, { $ref: "#/components/schemas/Square" }];
  const schema = { oneOf, discriminator: { propertyName: "kind" } };
  const isValid = bodyCheck(await specOf(t, { "api.json": documentOf(schema, schemas, "3.0.3") }));
  assert.ok(isValid({ radius: 1 }));
  assert.ok(isValid({ kind: "Circle", radius: 1, side: 1 }));
  assert.ok(!isValid({ radius: 1, side: 1 }));
  assert.ok(!isValid({ kind: "Square", radius: 1 }));
  assert.ok(!isValid({ kind: "Oval", radius: 1 }));
  assert.ok(!isValid(1));
});

test("a discriminator of 3.1 does not change what oneOf says", async (t) => {
  const isValid = bodyCheck(await specOf(t, { "api.json": documentOf(ONE_OF, ANIMALS, "3.1.0") }));
  assert.ok(!isValid({ kind: "Dog", lives: 9 }));
  assert.ok(isValid({ kind: "whatever" }));
});

test("a base class with a discriminator holds a value to the child that it names", async (t) => {
  const schemas = {
    Pet: {
      type: "object",
      required: ["petType"],
      discriminator: { propertyName: "petType" },
      properties: { petType: { type: "string" } },
    },
    Cat: { allOf: [{ $ref: "#/components/schemas/Pet" }, { required: ["lives"] }] },
  };
  const isValid = bodyCheck(
    await specOf(t, { "api.json": documentOf({ $ref: "#/components/schemas/Pet" }, schemas, "3.0.3") }),
  );
  assert.ok(isValid({ petType: "Cat", lives: 9 }));
  assert.ok(!isValid({ petType: "Cat" }));
  assert.ok(isValid({ petType: "Fish" }));
});

test("a base class whose oneOf names its own children does not go round in a circle", async (t) => {
  const schemas = {
    Pet: { required: ["name"], oneOf: [{ $ref: "#/components/schemas/Cat" }] },
    Cat: { allOf: [{ $ref: "#/components/schemas/Pet" }, { required: ["lives"] }] },
  };
  for (const name of ["Pet", "Cat"]) {
    const isValid = bodyCheck(
      await specOf(t, { "api.json": documentOf({ $ref: `#/components/schemas/${name}` }, schemas) }),
    );
    assert.ok(isValid({ name: "a", lives: 9 }), name);
    assert.ok(!isValid({ lives: 9 }), name);
    assert.ok(!isValid({ name: "a" }), name);
  }
});

test("a dynamic reference means the outermost anchor of its name", async (t) => {
  const schemas = {
    List: {
      $id: "list",
      type: "array",
      items: { $dynamicRef: "#item" },
      $defs: { item: { $dynamicAnchor: "item" } },
    },
    Numbers: { $id: "numbers", $ref: "list", $defs: { item: { $dynamicAnchor: "item", type: "number" } } },
  };
  const numbers = bodyCheck(
    await specOf(t, { "api.json": documentOf({ $ref: "#/components/schemas/Numbers" }, schemas) }),
  );
  assert.ok(numbers([1, 2]));
  assert.ok(!numbers(["a"]));
  const anything = bodyCheck(
    await specOf(t, { "api.json": documentOf({ $ref: "#/components/schemas/List" }, schemas) }),
  );
  assert.ok(anything(["a"]));
});

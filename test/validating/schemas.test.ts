import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import type { SpecInfo } from "../../src/core/operation.ts";
import { createRandom, findSample } from "../../src/validating/mock/sample.ts";
import { SchemaCheck, Violations } from "../../src/validating/schema/check.ts";
import { cleanSchema } from "../../src/validating/schema/clean.ts";
import { Evaluator } from "../../src/validating/schema/evaluate.ts";
import { bodyDocument, specGateway } from "../support/spec-gateway.ts";

const spec = { bundle: (schema: unknown) => schema } as SpecInfo;
const checkOf = (schema: object): SchemaCheck => new SchemaCheck(spec, schema as never, "request");

const names = fc.constantFrom("a", "b", "c-d", "é", "$x");
const scalars = fc.oneof(
  fc.constant({ type: "null" }),
  fc.constant({ type: "boolean" }),
  fc.record({ type: fc.constantFrom("integer", "number"), minimum: fc.integer({ min: -5, max: 5 }) }),
  fc.record({
    type: fc.constant("integer"),
    multipleOf: fc.constantFrom(2, 5),
    maximum: fc.integer({ min: 10, max: 50 }),
  }),
  fc.record({ type: fc.constant("string"), minLength: fc.nat(4), maxLength: fc.integer({ min: 4, max: 20 }) }),
  fc.record({
    type: fc.constant("string"),
    format: fc.constantFrom("date", "uuid", "email", "ipv4", "date-time", "uri"),
  }),
  fc.record({ type: fc.constant("string"), pattern: fc.constantFrom("^[a-f]{2,4}$", "^(?:x|yz)+$", "\\d{2}") }),
  fc.record({
    enum: fc.uniqueArray(fc.oneof(fc.integer(), fc.string(), fc.constant(null)), { minLength: 1, maxLength: 4 }),
  }),
);
const { schema: schemas } = fc.letrec<{ schema: object }>((tie) => ({
  schema: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    scalars,
    fc.record({
      type: fc.constant("array"),
      items: tie("schema"),
      minItems: fc.nat(2),
      maxItems: fc.integer({ min: 2, max: 4 }),
    }),
    fc
      .record({ properties: fc.dictionary(names, tie("schema"), { maxKeys: 3 }), isOpen: fc.boolean() })
      .map(({ properties, isOpen }) => ({
        type: "object",
        properties,
        required: Object.keys(properties).slice(0, 1),
        additionalProperties: isOpen,
      })),
    fc.record({ anyOf: fc.array(tie("schema"), { minLength: 1, maxLength: 3 }) }),
    fc.record({ allOf: fc.tuple(tie("schema")), description: fc.string() }),
    fc.record({ not: scalars, type: fc.constantFrom("string", "integer") }),
  ),
}));

test("the compiled check and the evaluator agree on every value", () => {
  fc.assert(
    fc.property(schemas, fc.jsonValue({ maxDepth: 3 }), fc.nat(), (schema, value, seed) => {
      const check = checkOf(schema);
      const evaluator = new Evaluator(cleanSchema(schema), "request");
      const sample = findSample(check, seed, false);
      for (const candidate of [value, mutate(sample?.value, seed), sample?.value]) {
        if (candidate === undefined) continue;
        assert.equal(check.isValid(candidate), evaluator.isValid(candidate), JSON.stringify({ schema, candidate }));
      }
    }),
    { numRuns: 400 },
  );
});

test("an invalid value always has a violation with a place and a sentence", () => {
  fc.assert(
    fc.property(schemas, fc.jsonValue({ maxDepth: 3 }), (schema, value) => {
      const violations = new Violations();
      const check = checkOf(schema);
      check.check(value, "body", "", violations);
      assert.equal(violations.isEmpty, check.isValid(value));
      for (const { pointer, message } of violations.list) {
        assert.match(pointer, /^(?:\/(?:[^~]|~[01])*)*$/);
        assert.ok(message.length > 5);
      }
    }),
    { numRuns: 300 },
  );
});

test("what is wrong in a long list or map is told as in a short one", () => {
  fc.assert(
    fc.property(schemas, fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 6 }), (items, values) => {
      // What fills them up is valid, or wrong in one and the same way.
      const many = [...values, ...Array.from({ length: 80 }, () => values[0] ?? null)];
      const map = Object.fromEntries(many.map((value, i) => [`m${i}`, value]));
      for (const [schema, value] of [
        [{ items }, many],
        [{ additionalProperties: { ...items, readOnly: true } }, map],
        [{ allOf: [{ properties: { m0: true } }], anyOf: [{}, { items }], additionalProperties: items }, map],
      ] as const) {
        const violations = new Violations();
        checkOf(schema).check(value, "body", "", violations);
        const found = violations.list.map(({ pointer, keyword, message }) => ({ pointer, keyword, message }));
        assert.deepEqual(found, new Evaluator(cleanSchema(schema), "request").explain(value, 51).slice(0, 50));
      }
    }),
    { numRuns: 150 },
  );
});

test("items are the same when their members are, in whatever order and however deep", () => {
  const unique = checkOf({ type: "array", uniqueItems: true });
  const reversed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reversed);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([name, member]) => [name, reversed(member)]),
    );
  };
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 7 }), fc.jsonValue({ maxDepth: 2 }), (one, other) => {
      // As they come out of JSON: there is one zero.
      const [value, different] = JSON.parse(JSON.stringify([one, other])) as [unknown, unknown];
      assert.equal(unique.isValid([different, value, reversed(value)]), false);
      assert.equal(unique.isValid([value, different]), !isDeepStrictEqual(value, different));
      assert.equal(unique.isValid([[value], { value }, [value, 1], { value, more: 1 }]), true);
    }),
  );
});

test("what is made from a schema passes the gateway, and what is broken on purpose does not", async (t) => {
  const samples = fc.sample(schemas, { seed: 7, numRuns: 40 });
  const properties = Object.fromEntries(samples.map((schema, i) => [`s${i}`, schema]));
  const paths = Object.fromEntries(
    samples.map((_, i) => [
      `/s${i}`,
      {
        post: {
          requestBody: { content: { "application/json": { schema: { $ref: `#/components/schemas/s${i}` } } } },
          responses: { 200: { description: "" } },
        },
      },
    ]),
  );
  const gateway = await specGateway(t, {
    document: { ...bodyDocument({}), paths, components: { schemas: properties } },
  });
  for (const [i, schema] of samples.entries()) {
    const check = checkOf(schema);
    const sample = findSample(check, i, false);
    if (sample === undefined) continue;
    for (const value of [sample.value, mutate(sample.value, i)]) {
      const { status } = await gateway.send("POST", `/s${i}`, {
        headers: { "content-type": "application/json" },
        body: JSON.stringify(value ?? null),
      });
      assert.equal(status, check.isValid(value ?? null) ? 200 : 400, JSON.stringify({ schema, value }));
    }
  }
});

/** A value that differs in one place. */
function mutate(value: unknown, seed: number): unknown {
  const random = createRandom(seed);
  if (Array.isArray(value) && value.length > 0) {
    const at = Math.floor(random() * value.length);
    return value.map((item, i) => (i === at ? mutate(item, seed + 1) : item));
  }
  if (typeof value === "object" && value !== null && Object.keys(value).length > 0) {
    const [name] = Object.keys(value);
    return { ...value, [name as string]: mutate((value as Record<string, unknown>)[name as string], seed + 1) };
  }
  return [null, true, -7, 3.5, "", "zz", [], {}][Math.floor(random() * 8)];
}

const RECURSIVE = {
  $ref: "#/$defs/node",
  $defs: {
    node: {
      type: "object",
      properties: { next: { $ref: "#/$defs/node" }, value: { type: "integer" } },
      required: ["value"],
    },
  },
};

test("recursive schemas check to the depth that JSON may have", () => {
  let value: object = { value: "x" };
  for (let i = 0; i < 500; i++) value = { value: i, next: value };
  const violations = new Violations();
  checkOf(RECURSIVE).check(value, "body", "", violations);
  assert.equal(violations.list.length, 1);
  assert.equal(violations.list[0]?.pointer, `${"/next".repeat(500)}/value`);
});

test("a schema that applies itself to the same value refuses, and does not hang", () => {
  const check = checkOf({
    $ref: "#/$defs/a",
    $defs: { a: { anyOf: [{ $ref: "#/$defs/b" }] }, b: { allOf: [{ $ref: "#/$defs/a" }] } },
    unevaluatedProperties: true,
  });
  assert.equal(check.isValid({}), false);
  const violations = new Violations();
  check.check({}, "body", "", violations);
  assert.ok(!violations.isEmpty);
});

test("keywords with values that mean nothing are ignored", () => {
  const odd = {
    type: "file",
    required: true,
    nullable: true,
    minLength: "x",
    enum: 5,
    properties: { a: { required: true, type: ["string", "any"] } },
    id: "x",
    $schema: "http://nowhere/",
    format: "own",
    pattern: 7,
  };
  for (const value of [null, 1, "x", { a: "y" }]) assert.equal(checkOf(odd).isValid(value), true);
  assert.equal(checkOf(odd).isValid({ a: 1 }), false);
});

test("decimal fractions, large numbers and code points are counted as people count them", () => {
  const rows: [schema: object, value: unknown, isValid: boolean][] = [
    [{ multipleOf: 0.01 }, 19.99, true],
    [{ multipleOf: 0.01 }, 19.995, false],
    [{ type: "integer", format: "int64" }, 2 ** 53 + 2, true],
    [{ type: "integer", format: "int32" }, 2 ** 31, false],
    [{ type: "integer" }, 1.0, true],
    [{ maxLength: 1 }, "😀", true],
    [
      { uniqueItems: true },
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
      false,
    ],
    [{ uniqueItems: true }, [1, "1", true, [1], '{"a":1}', { a: 1 }], true],
    [{ format: "byte" }, "YQ==", true],
    [{ format: "byte" }, "YQ=", false],
    [{ format: "date-time" }, "2026-02-30T00:00:00Z", false],
    [{ enum: [] }, 1, false],
    [{ required: ["__proto__"] }, {}, false],
    [{ required: ["toString"] }, {}, false],
    [{ properties: { constructor: { type: "number" } } }, {}, true],
  ];
  for (const [schema, value, isValid] of rows)
    assert.equal(checkOf(schema).isValid(value), isValid, JSON.stringify({ schema, value }));
});

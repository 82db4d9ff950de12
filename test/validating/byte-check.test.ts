import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { SpecInfo } from "../../src/core/operation.ts";
import { parseJson } from "../../src/validating/bodies/json.ts";
import { findSample } from "../../src/validating/mock/sample.ts";
import { Malformed } from "../../src/validating/parameters/decode.ts";
import { findByteCheck } from "../../src/validating/schema/byte-check.ts";
import { SchemaCheck } from "../../src/validating/schema/check.ts";
import { cleanSchema } from "../../src/validating/schema/clean.ts";

const spec = { bundle: (schema: unknown) => schema } as SpecInfo;

function isValid(schema: object, bytes: Buffer): boolean {
  const value = parseJson(bytes);
  return !(value instanceof Malformed) && new SchemaCheck(spec, schema as never, "request").isValid(value);
}

const names = fc.constantFrom("a", "b", "c-d", "__proto__", "toString", "é");
const numbers = fc.record(
  {
    type: fc.constantFrom<unknown>("integer", "number", ["number", "null"]),
    minimum: fc.integer({ min: -5, max: 5 }),
    exclusiveMaximum: fc.integer({ min: 5, max: 500 }),
    multipleOf: fc.constantFrom(2, 0.5, 0.01),
    format: fc.constantFrom("int32", "int64", "double", "unheard"),
  },
  { requiredKeys: ["type"] },
);
const texts = fc.record(
  {
    type: fc.constant("string"),
    minLength: fc.nat(3),
    maxLength: fc.integer({ min: 3, max: 9 }),
    pattern: fc.constantFrom("^[a-c]*$", "\\d"),
    format: fc.constantFrom("date", "uuid", "unheard", "int32"),
    readOnly: fc.boolean(),
  },
  { requiredKeys: ["type"] },
);
const { schema: schemas } = fc.letrec<{ schema: object }>((tie) => ({
  schema: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    numbers,
    texts,
    fc.constantFrom(
      { type: "boolean" },
      { type: "string", enum: ["a", "b"] },
      {},
      { enum: [1] },
      { $ref: "#/$defs/x" },
    ),
    fc.record({
      type: fc.constant("array"),
      items: tie("schema"),
      minItems: fc.nat(1),
      maxItems: fc.integer({ min: 1, max: 4 }),
    }),
    fc
      .record({ names: fc.dictionary(names, tie("schema"), { maxKeys: 4 }), isOpen: fc.boolean() })
      .map(({ names: properties, isOpen }) => ({
        type: "object",
        properties,
        required: Object.keys(properties).slice(0, 1),
        ...(isOpen ? {} : { additionalProperties: false }),
      })),
  ),
}));
const pieces = fc.constantFrom(
  '"',
  "\\",
  ",",
  "}",
  "]",
  ":",
  "0",
  ".",
  "-",
  "e5",
  " ",
  "\n",
  "\u0001",
  "é",
  "null",
  '"a":1,',
  "9".repeat(16),
);

/** A text with something put in or left out somewhere. */
const spoil = (text: string, at: number, piece: string, cut: number): string => {
  const i = at % (text.length + 1);
  return text.slice(0, i) + piece + text.slice(i + cut);
};

test("what a scan of the bytes accepts is strict JSON and valid", () => {
  let accepted = 0;
  const whole = fc.property(
    schemas,
    fc.jsonValue({ maxDepth: 3 }),
    fc.nat(),
    fc.array(fc.tuple(fc.nat(), pieces, fc.nat(2)), { maxLength: 2 }),
    (source, value, seed, spoils) => {
      const schema = { ...source, $defs: { x: { type: "integer" } } };
      const check = findByteCheck(cleanSchema(schema), "request");
      if (check === undefined) return;
      const sample = findSample(new SchemaCheck(spec, schema as never, "request"), seed, false)?.value;
      for (const candidate of [value, sample]) {
        if (candidate === undefined) continue;
        const text = JSON.stringify(candidate, null, seed % 3);
        const spoilt = spoils.reduce((before, [at, piece, cut]) => spoil(before, at, piece, cut), text);
        for (const bytes of [Buffer.from(text), Buffer.from(spoilt)]) {
          if (!check(bytes)) continue;
          accepted++;
          assert.ok(isValid(schema, bytes), JSON.stringify({ schema, text: bytes.toString() }));
        }
      }
    },
  );
  fc.assert(whole, { numRuns: 3_000 });
  assert.ok(accepted > 300, `a scan that accepts nothing proves nothing: ${accepted}`);
});

const order = {
  type: "object",
  required: ["id", "lines"],
  properties: {
    id: { type: "integer", format: "int64" },
    at: { type: "string", format: "date" },
    state: { type: "string", enum: ["open", "paid"] },
    secret: { type: "string", readOnly: true },
    lines: { type: "array", maxItems: 2, items: { $ref: "#/$defs/Line" } },
  },
  $defs: {
    Line: { type: "object", properties: { price: { type: ["number", "null"], minimum: 0 }, on: { type: "boolean" } } },
  },
};

test("a scan decides plain bodies alone, and leaves the others to somebody slower", () => {
  const check = findByteCheck(cleanSchema(order), "request");
  assert.ok(check !== undefined);
  const rows: [text: string, isAccepted: boolean][] = [
    ['{"id":1,"lines":[{"price":19.99,"on":true},{"price":null}],"at":"2026-01-31","state":"open"}', true],
    [' {\n "lines" : [ ] ,\t"id" : -0 }\r\n', true],
    ['{"id":1,"lines":[],"id":1}', false],
    ['{"id":1,"lines":[],"extra":1}', false],
    ['{"id":1,"lines":[],"secret":"x"}', false],
    ['{"id":1,"lines":[],"state":"\\u006fpen"}', false],
    ['{"id":9223372036854775808,"lines":[]}', false],
    ['{"id":01,"lines":[]}', false],
    ['{"id":1.0,"lines":[]}', false],
    ['{"id":1,"lines":[{},{},{}]}', false],
    ['{"id":1,"lines":[]}x', false],
    ['{"id":1,"lines":[],}', false],
    ['{"id":1,"lines":[', false],
    ['{"lines":[]}', false],
    ["", false],
  ];
  for (const [text, isAccepted] of rows) assert.equal(check(Buffer.from(text)), isAccepted, text);
});

test("a schema with more than a scan can decide has none, or leaves the member to somebody slower", () => {
  for (const schema of [
    { anyOf: [{ type: "string" }] },
    { type: "object" },
    {},
    true,
    { type: "array", items: { not: {} } },
  ])
    assert.equal(findByteCheck(cleanSchema(schema), "request"), undefined, JSON.stringify(schema));
  const check = findByteCheck(
    cleanSchema({ type: "object", properties: { a: { oneOf: [{}] }, b: { type: "integer" } } }),
    "request",
  );
  assert.equal(check?.(Buffer.from('{"b":1}')), true);
  assert.equal(check?.(Buffer.from('{"a":1}')), false);
});

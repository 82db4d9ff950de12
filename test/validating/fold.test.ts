import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { SpecInfo } from "../../src/core/operation.ts";
import { findByteCheck } from "../../src/validating/schema/byte-check.ts";
import { SchemaCheck } from "../../src/validating/schema/check.ts";
import { cleanSchema } from "../../src/validating/schema/clean.ts";
import { isCompilable } from "../../src/validating/schema/compile.ts";
import { Evaluator } from "../../src/validating/schema/evaluate.ts";

const spec = { bundle: (schema: unknown) => schema } as SpecInfo;
const names = fc.constantFrom("a", "b", "c", "x-d");
const leaf = fc.constantFrom<unknown>(true, false, { type: "integer" });
const members = fc.dictionary(names, leaf, { maxKeys: 3 });
const Base = { type: "object", properties: { a: { type: "integer" } }, patternProperties: { "^x-": true } };
const Sealed = { properties: { b: true }, unevaluatedProperties: false };
const Loop = { properties: { c: { $ref: "#/$defs/Loop" } }, unevaluatedProperties: { type: "integer" } };

const { schema: schemas } = fc.letrec<{ schema: object }>((tie) => ({
  schema: fc.oneof(
    { depthSize: "small" },
    fc.record({ properties: members }),
    fc.constantFrom({ $ref: "#/$defs/Base" }, { $ref: "#/$defs/Sealed" }, { $ref: "#/$defs/Loop" }),
    fc.record(
      {
        properties: members,
        patternProperties: fc.constant({ "^x-": { type: "integer" } }),
        additionalProperties: leaf,
        unevaluatedProperties: leaf,
        $ref: fc.constantFrom("#/$defs/Base", "#/$defs/Sealed"),
        allOf: fc.array(tie("schema"), { minLength: 1, maxLength: 2 }),
        anyOf: fc.array(tie("schema"), { minLength: 1, maxLength: 2 }),
        oneOf: fc.constant([{ required: ["a"] }, { required: ["b"] }]),
        not: tie("schema"),
        if: tie("schema"),
        dependentSchemas: fc.dictionary(names, tie("schema"), { maxKeys: 1 }),
      },
      { requiredKeys: ["unevaluatedProperties"] },
    ),
  ),
}));
const values = fc.dictionary(fc.constantFrom("a", "b", "c", "x-d", "y"), fc.constantFrom<unknown>(1, "s", null));

test("what is folded takes and refuses the same values", () => {
  let folded = 0;
  const same = fc.property(schemas, fc.array(values, { minLength: 3, maxLength: 6 }), (source, candidates) => {
    const schema = { ...source, $defs: { Base, Sealed, Loop } };
    const check = new SchemaCheck(spec, schema as never, "request");
    const evaluator = new Evaluator(cleanSchema(schema as never), "request");
    if (check.foldedSchema !== check.schema && isCompilable(check.foldedSchema)) folded++;
    const scan = findByteCheck(check.foldedSchema, "request");
    for (const value of candidates) {
      const isValid = evaluator.isValid(value);
      const seen = JSON.stringify({ schema, value, folded: check.foldedSchema });
      assert.equal(check.isValid(value), isValid, seen);
      if (scan?.(Buffer.from(JSON.stringify(value))) === true) assert.ok(isValid, seen);
    }
  });
  fc.assert(same, { numRuns: 2_000 });
  assert.ok(folded > 100, `where nothing is folded, nothing is proved: ${folded}`);
});

test("an object that is put together and sealed is decided by one scan of its bytes", () => {
  const schema = {
    allOf: [{ $ref: "#/$defs/Base" }, { type: "object", properties: { c: { type: "string" } } }],
    oneOf: [{ required: ["a"] }, { required: ["c"] }],
    unevaluatedProperties: false,
    $defs: { Base: { type: "object", properties: { a: { type: "integer" } } } },
  };
  const check = new SchemaCheck(spec, schema, "request");
  const scan = findByteCheck(check.foldedSchema, "request");
  assert.equal(scan?.(Buffer.from('{"a":1}')), true);
  assert.equal(scan?.(Buffer.from('{"a":1,"z":1}')), false);
  assert.equal(check.isValid({ a: 1, c: "x" }), false);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import TypeBox from "typebox";
import { Type } from "../../src/core/type.ts";

/** The same schema, by either maker. */
const SCHEMAS: Readonly<Record<string, (make: typeof Type) => unknown>> = {
  "a text": (make) => make.String({ description: "d", minLength: 1 }),
  numbers: (make) => [make.Integer({ minimum: 1 }), make.Number(), make.Boolean({ default: true }), make.Unknown()],
  "an object with optional members": (make) =>
    make.Object({ a: make.String(), b: make.Optional(make.Integer()) }, { additionalProperties: false }),
  "an object without required members": (make) => make.Object({ a: make.Optional(make.String()) }),
  "a choice of literals": (make) =>
    make.Optional(make.Union([make.Literal("a", { description: "x" }), make.Literal(1), make.Literal(true)])),
  "a list": (make) => make.Array(make.Object({ a: make.String() }), { minItems: 1 }),
  records: (make) => [
    make.Record(make.String(), make.Boolean(), { description: "r" }),
    make.Record(make.String({ pattern: "^a" }), make.Unknown()),
  ],
};

for (const [name, schema] of Object.entries(SCHEMAS)) {
  test(`${name} is what TypeBox makes of it`, () => {
    assert.equal(JSON.stringify(schema(Type)), JSON.stringify(schema(TypeBox as typeof Type)));
  });
}

test("what TypeBox calls optional is optional here, and the other way round", () => {
  const [ours, theirs] = [Type.Optional(Type.String()), TypeBox.Optional(TypeBox.String())];
  assert.deepEqual(JSON.stringify(Type.Object({ a: theirs })), JSON.stringify(TypeBox.Object({ a: ours })));
  assert.ok(!JSON.stringify(Type.Object({ a: theirs })).includes("required"));
});

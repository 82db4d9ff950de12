import assert from "node:assert/strict";
import { test } from "node:test";
import type { SpecInfo } from "../../src/core/operation.ts";
import { SchemaCheck, Violations } from "../../src/validating/schema/check.ts";
import { forks } from "../../src/validating/schema/forks.ts";

const spec = { bundle: (schema: unknown) => schema } as SpecInfo;
const self = { $ref: "#/$defs/e" };
const operator = (name: string) => ({
  type: "object",
  properties: { args: { type: "array", items: self }, op: { const: name } },
  required: ["op"],
});
const expression = { ...self, $defs: { e: { oneOf: [operator("and"), operator("or")] } } };

const nested = (depth: number, innermost: object): object => {
  let value = innermost;
  for (let i = 0; i < depth; i++) value = { args: [value], op: "or" };
  return value;
};

test("an expression of expressions is decided and explained in time that does not double with each level", () => {
  const check = new SchemaCheck(spec, expression as never, "request");
  const from = process.cpuUsage();
  assert.equal(check.isValid(nested(60, { op: "or" })), true);
  assert.equal(check.isValid(nested(60, { op: "xor" })), false);
  const violations = new Violations();
  check.check(nested(12, { op: "xor" }), "body", "", violations);
  assert.ok(violations.list.some(({ pointer }) => pointer.endsWith("/args/0/op")));
  const { user } = process.cpuUsage(from);
  assert.ok(user < 10_000_000, `${user} µs, where 2⁶⁰ steps would take for ever`);
});

test("only a schema that leads to itself in two ways about one value forks", () => {
  const circle = (e: object) => ({ ...self, $defs: { e } });
  const rows: [schema: object, forks: boolean][] = [
    [expression, true],
    [circle({ properties: { a: self, b: self } }), false],
    [circle({ anyOf: [{ type: "string" }, { type: "array", items: self }] }), false],
    [
      circle({
        anyOf: [
          { type: "object", properties: { a: self } },
          { type: "array", items: self },
        ],
      }),
      false,
    ],
    [circle({ anyOf: [{ properties: { a: self } }, { items: self }] }), true],
    [circle({ properties: { a: self }, allOf: [{ properties: { a: self } }] }), true],
    [circle({ properties: { a: self }, patternProperties: { "^a": self } }), true],
    [circle({ items: self, contains: self }), true],
    [circle({ if: { properties: { a: self } }, not: { properties: { a: self } } }), true],
    [{ anyOf: [{ type: "object" }, { properties: {} }] }, false],
    [{ anyOf: [{ properties: { a: { $ref: "#" } } }, { properties: { a: { $ref: "#" } } }] }, true],
  ];
  for (const [schema, isForking] of rows) assert.equal(forks(schema as never), isForking, JSON.stringify(schema));
});

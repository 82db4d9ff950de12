import assert from "node:assert/strict";
import { test } from "node:test";
import { findMediaType, type ParsedMediaType } from "../../src/core/media-type.ts";
import type { MediaType, Operation } from "../../src/core/operation.ts";
import { BodyPlan } from "../../src/validating/bodies/body-plan.ts";
import { parseJson } from "../../src/validating/bodies/json.ts";
import type { Malformed } from "../../src/validating/parameters/decode.ts";
import { Violations } from "../../src/validating/schema/check.ts";

const operation = {
  spec: { document: {}, bundle: (schema: unknown) => schema },
  parameters: [],
} as unknown as Operation;
const list = (text: string, count: number): string => `[${Array(count).fill(text).join(",")}]`;
const each = (items: object): object => ({ type: "array", items });
const matching = (pattern: string): object => each({ type: "string", pattern });
const alternatives = Array.from({ length: 20 }, (_, i) => ({
  type: "object",
  required: ["t"],
  properties: { t: { const: `t${i}` } },
}));
const pieces = Array.from({ length: 500 }, (_, v) => ({ v }));
const JSON_TYPE = "application/json";
const FORM = "application/x-www-form-urlencoded";

/** Each took seconds or minutes of the loop once, by work for each of many values. */
const ROWS: Record<string, [type: string, schema: object, body: string, isValid: boolean]> = {
  "lookaheads that explode, in 20,000 texts": [
    JSON_TYPE,
    matching("^(?=.*a)(a+)+$"),
    list(`"${"a".repeat(40)}!"`, 20_000),
    false,
  ],
  "backreferences that explode, in 20,000 texts": [
    JSON_TYPE,
    matching("^(a+)+\\1$"),
    list(`"${"a".repeat(40)}!"`, 20_000),
    false,
  ],
  "nested repetitions in 48,000 short texts": [
    JSON_TYPE,
    matching("^(a+)+$"),
    list(`"${"a".repeat(17)}!"`, 48_000),
    false,
  ],
  "quadratic patterns in texts of 1,000 characters": [
    JSON_TYPE,
    matching("a+b"),
    list(`"${"a".repeat(995)}"`, 1_000),
    false,
  ],
  "names that match nothing": [
    JSON_TYPE,
    { type: "object", propertyNames: { pattern: "^(b|b)*$" } },
    `{${Array.from({ length: 20_000 }, (_, i) => `"${"b".repeat(30)}${i}":1`).join(",")}}`,
    false,
  ],
  "alternatives that none of 40,000 objects is": [
    JSON_TYPE,
    each({ oneOf: alternatives }),
    list('{"t":"none","v":1}', 40_000),
    false,
  ],
  "one of 500 objects, 80,000 times": [JSON_TYPE, each({ enum: pieces }), list('{"v":499}', 80_000), true],
  "500,000 items of the wrong type": [JSON_TYPE, each({ type: "string" }), list("1", 500_000), false],
  "a list in brackets": [
    FORM,
    { properties: { a: { type: "object", properties: { l: { type: "array", items: { type: "string" } } } } } },
    "a[l][]=x&".repeat(9_999),
    true,
  ],
  "elements for 300 members": [
    "application/xml",
    { type: "object", properties: Object.fromEntries(pieces.slice(0, 300).map(({ v }) => [`p${v}`, true])) },
    `<r>${"<a/>".repeat(99_000)}</r>`,
    true,
  ],
};

test("work for each of many values does not add up to a stall", () => {
  for (const [name, [contentType, schema, body, isValid]] of Object.entries(ROWS)) {
    const type = findMediaType(contentType) as ParsedMediaType;
    const media = { type: contentType, schema, itemSchema: undefined, encoding: {} } as MediaType;
    const plan = BodyPlan.all(operation, [media], "request")[0] as BodyPlan;
    const bytes = Buffer.from(body);
    plan.checkBytes(Buffer.from("[]"), type, new Violations());
    const violations = new Violations();
    const before = process.cpuUsage();
    plan.checkBytes(bytes, type, violations);
    const { user, system } = process.cpuUsage(before);
    assert.equal(violations.isEmpty, isValid, `${name}: ${JSON.stringify(violations.list.slice(0, 2))}`);
    // Mostly under a tenth of a second; a loaded machine and other threads count, too.
    assert.ok(user + system < 5e6, `${name}: ${(user + system) / 1e3} ms`);
  }
});

test("what the patterns of one message have cost is not the next one's fault", () => {
  const type = findMediaType(JSON_TYPE) as ParsedMediaType;
  const media = {
    type: JSON_TYPE,
    schema: matching("^(?:(a+)+\\1!|a+)$"),
    itemSchema: undefined,
    encoding: {},
  } as MediaType;
  const plan = BodyPlan.all(operation, [media], "request")[0] as BodyPlan;
  const check = (body: string): boolean => {
    const violations = new Violations();
    plan.checkBytes(Buffer.from(body), type, violations);
    return violations.isEmpty;
  };
  const valid = list(`"${"a".repeat(12)}"`, 10);
  assert.equal(check(valid), true);
  assert.equal(check(list(`"${"a".repeat(40)}"`, 100)), false);
  assert.equal(check(valid), true);
});

test("nesting that is too deep is told before a parser builds it", () => {
  for (const text of [
    "[".repeat(500_000),
    "[".repeat(513) + "]".repeat(513),
    `[${'{"a":'.repeat(512)}1`,
    "[[],".repeat(520),
  ])
    assert.match(String((parseJson(Buffer.from(text)) as Malformed).message), /nested deeper than 512/);
  const wide = `[${'[[],{"a[[[":"\\"[[["}],'.repeat(600)}0]`;
  for (const text of [wide, "[".repeat(512) + "]".repeat(512)])
    assert.deepEqual(parseJson(Buffer.from(text)), JSON.parse(text));
  const before = process.cpuUsage().user;
  for (let i = 0; i < 200; i++) parseJson(Buffer.alloc(1_048_576, "["));
  // Building it takes thirty milliseconds, each time.
  assert.ok(process.cpuUsage().user - before < 2_000_000);
});

test("a long body is checked in turns with everything else, and with the same outcome", async () => {
  const type = findMediaType(JSON_TYPE) as ParsedMediaType;
  const schema = each({ type: "object", properties: { id: { type: "integer" } }, required: ["id"] });
  const media = { type: JSON_TYPE, schema, itemSchema: undefined, encoding: {} } as MediaType;
  const plan = BodyPlan.all(operation, [media], "request")[0] as BodyPlan;
  for (const last of ['{"id":1}', '{"id":9007199254740993}', '{"id":"x"}', '{"id":1,"id":2}', "[}"]) {
    const bytes = Buffer.from(`[${'{"id":1},'.repeat(20_000)}${last}]`);
    const expected = new Violations();
    plan.checkBytes(bytes, type, expected);
    const violations = new Violations();
    const turns = { count: 0, areOver: false };
    const count = (): void => {
      turns.count++;
      if (!turns.areOver) setImmediate(count);
    };
    setImmediate(count);
    await plan.checkBeside(bytes, type, violations);
    turns.areOver = true;
    assert.deepEqual(violations.list, expected.list);
    assert.ok(violations.isEmpty || turns.count > 0, `${last}: nobody else had a turn`);
  }
});

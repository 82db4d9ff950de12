import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { SpecInfo } from "../../src/core/operation.ts";
import { parseJson } from "../../src/validating/bodies/json.ts";
import { findSample } from "../../src/validating/mock/sample.ts";
import { Malformed } from "../../src/validating/parameters/decode.ts";
import { findByteCheck } from "../../src/validating/schema/byte-check.ts";
import { BytePattern } from "../../src/validating/schema/byte-pattern.ts";
import { SchemaCheck } from "../../src/validating/schema/check.ts";
import { cleanSchema } from "../../src/validating/schema/clean.ts";

const spec = { bundle: (schema: unknown) => schema } as SpecInfo;

function isValid(schema: object, bytes: Buffer): boolean {
  const value = parseJson(bytes);
  return !(value instanceof Malformed) && new SchemaCheck(spec, schema as never, "request").isValid(value);
}

const names = fc.constantFrom("a", "b", "c-d", "__proto__", "toString", "é", 'q"');
const scalars = fc.constantFrom<unknown>("a", "b", "", "é", 0, 1, -2.5, 1e30, true, false, null);
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
    pattern: fc.constantFrom("^[a-c]*$", "\\d", "^[^b-]{1,2}.?$", "^\\w+-\\d{2,}$"),
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
    fc.constantFrom<object>(
      { type: "boolean" },
      { type: "string", enum: ["a", "b"] },
      {},
      { enum: [1] },
      { const: "a" },
      { not: { type: "string" } },
      { $ref: "#/$defs/x" },
      { $ref: "#/$defs/tree" },
    ),
    fc.record(
      { type: fc.constantFrom("string", "integer"), enum: fc.array(scalars, { maxLength: 3 }) },
      { requiredKeys: ["enum"] },
    ),
    fc.record(
      {
        type: fc.constant("array"),
        items: tie("schema"),
        minItems: fc.nat(1),
        maxItems: fc.integer({ min: 1, max: 4 }),
        uniqueItems: fc.boolean(),
        prefixItems: fc.array(tie("schema"), { minLength: 1, maxLength: 1 }),
      },
      { requiredKeys: ["items"] },
    ),
    fc.record(
      {
        type: fc.constantFrom<unknown>("object", ["object", "string"]),
        properties: fc.dictionary(names, tie("schema"), { maxKeys: 4 }),
        required: fc.array(names, { maxLength: 2 }),
        additionalProperties: fc.oneof(fc.boolean(), tie("schema")),
        unevaluatedProperties: fc.boolean(),
        minProperties: fc.nat(2),
        maxProperties: fc.integer({ min: 1, max: 4 }),
        readOnly: fc.boolean(),
      },
      { requiredKeys: ["properties"] },
    ),
    fc.record(
      {
        type: fc.constantFrom("object", "string", "integer"),
        allOf: fc.array(tie("schema"), { minLength: 1, maxLength: 2 }),
        anyOf: fc.array(tie("schema"), { minLength: 1, maxLength: 2 }),
        oneOf: fc.array(tie("schema"), { minLength: 1, maxLength: 3 }),
        description: fc.constant("in branches"),
      },
      { requiredKeys: [] },
    ),
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
  "\\n",
  "\\u00e9",
  "\\ud800",
  "\\ud83d\\ude00",
  "E-2",
  "1e400",
  "9".repeat(16),
);

/** Of what contains itself, in each of the ways in which schemas are put together. */
const tree = {
  type: "object",
  properties: { a: { anyOf: [{ $ref: "#/$defs/tree" }, { type: "null" }] }, b: { allOf: [{ $ref: "#/$defs/tree" }] } },
};

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
      const schema = { ...source, $defs: { x: { type: "integer" }, tree } };
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
  fc.assert(whole, { numRuns: 4_000 });
  assert.ok(accepted > 1_000, `a scan that accepts nothing proves nothing: ${accepted}`);
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
    ['{"id":1,"lines":[],"extra":{"a":[1,"",null]}}', true],
    ['{"id":1,"lines":[],"extra":{"a":1,"b":2,"a":3}}', false],
    ['{"id":1,"lines":[],"extra":{"":1,"":1}}', false],
    ['{"id":1,"lines":[],"extra":1,"extra":2}', false],
    [`{"id":1,"lines":[],${Array.from({ length: 100 }, (_, i) => `"n${i}":${i}`)}}`, true],
    [`{"id":1,"lines":[],${Array.from({ length: 100 }, (_, i) => `"n${i % 99}":${i}`)}}`, false],
    ['{"id":1,"lines":[],"\\u0078":1,"x":2}', false],
    ['{"id":1,"lines":[],"secret":"x"}', false],
    ['{"id":1,"lines":[],"state":"\\u006fpen"}', true],
    ['{"id":1,"lines":[],"note":"Zürich \\ud83d\\ude00\\n"}', true],
    ['{"id":1,"lines":[],"note":"four characters: \\ud83d"}', false],
    ['{"id":1,"lines":[],"note":"\\ude00\\ud83d"}', false],
    ['{"id":1,"lines":[],"note":"\\x"}', false],
    ['{"id":1e2,"lines":[]}', true],
    ['{"id":1e-2,"lines":[]}', false],
    ['{"id":1e,"lines":[]}', false],
    ['{"id":9223372036854775808,"lines":[]}', false],
    ['{"id":01,"lines":[]}', false],
    ['{"id":1.0,"lines":[]}', true],
    ['{"id":1,"lines":[{},{},{}]}', false],
    ['{"id":1,"lines":[]}x', false],
    ['{"id":1,"lines":[],}', false],
    ['{"id":1,"lines":[', false],
    ['{"lines":[]}', false],
    ["", false],
  ];
  for (const [text, isAccepted] of rows) assert.equal(check(Buffer.from(text)), isAccepted, text);
});

test("a pattern that is read by bytes takes no text that it does not take as a regular expression", () => {
  const atoms = fc.constantFrom(
    "a",
    "[a-c]",
    "[^a]",
    "[-a]",
    "[a-]",
    "[\\d_.]",
    "\\d",
    "\\w",
    "\\.",
    ".",
    "-",
    "[\\]b]",
    "~",
  );
  const counts = fc.constantFrom("", "?", "*", "+", "{2}", "{1,}", "{0,2}");
  const whole = fc.property(
    fc.array(fc.tuple(atoms, counts), { maxLength: 4 }),
    fc.array(fc.string({ unit: fc.constantFrom("a", "b", "c", "-", "_", ".", "1", "]", "~", " "), maxLength: 5 })),
    (pieces, texts) => {
      const source = `^${pieces.flat().join("")}$`;
      const pattern = BytePattern.find(source);
      assert.ok(pattern !== undefined, source);
      const regExp = new RegExp(source, "u");
      for (const text of texts) {
        const bytes = Buffer.from(`"${text}"`);
        if (pattern.accepts(bytes, 1, bytes.length - 1)) assert.match(text, regExp);
        else if (pieces.length === 1) assert.doesNotMatch(text, regExp);
      }
    },
  );
  fc.assert(whole, { numRuns: 1_000 });
  for (const source of [
    "a",
    "^a",
    "^(a)$",
    "^a|b$",
    "^a+?$",
    "^\\s$",
    "^é$",
    "^[é]$",
    "^[a$",
    "^\\bx$",
    "^{2}$",
    "^[\\d-z]$",
    "^a\\$",
  ])
    assert.equal(BytePattern.find(source), undefined, source);
});

test("items that are told apart by their texts are compared whichever way those were read", () => {
  const check = findByteCheck({ type: "array", uniqueItems: true, items: { enum: ["on", "off", 1, true] } }, "request");
  assert.equal(check?.(Buffer.from('["on","off",1,true]')), true);
  assert.equal(check?.(Buffer.from('["on","\\u006fff"]')), true);
  assert.equal(check?.(Buffer.from('["on", "on"]')), false);
  assert.equal(check?.(Buffer.from('["on","\\u006fn"]')), false);
});

const manyTexts = Array.from({ length: 5_000 }, (_, i) => `k${i}`);

test("of thousands of names and items one that is there twice is found, wherever it stands and however it is written", () => {
  const items = findByteCheck({ type: "array", uniqueItems: true, items: { type: "string" } }, "request");
  const members = findByteCheck({ type: "object", additionalProperties: { type: "string" } }, "request");
  const list = (texts: readonly string[]): Buffer => Buffer.from(`[${texts.map((text) => `"${text}"`).join()}]`);
  const map = (texts: readonly string[]): Buffer => Buffer.from(`{${texts.map((text) => `"${text}":""`).join()}}`);
  assert.equal(items?.(list(manyTexts)), true);
  assert.equal(items?.(list([...manyTexts, "\\u006b5000", "k5001"])), true);
  assert.equal(members?.(map(manyTexts)), true);
  for (const twice of ["k0", "k31", "k32", "k4999", "\\u006b77"]) {
    assert.equal(items?.(list([...manyTexts, twice])), false, twice);
    assert.equal(members?.(map([...manyTexts, twice])), false, twice);
  }
  assert.equal(items?.(list([...manyTexts, "\\u006b5000", "k5000"])), false);
});

/** Two pieces of a text for each place, either of which leads to the same hash (FNV-1a of 32 bits): found by birthdays. */
function collidingPieces(count: number): [string, string][] {
  const pairs: [string, string][] = [];
  for (let state = 0x811c9dc5; pairs.length < count; ) {
    const known = new Map<number, string>();
    for (let i = 0; ; i++) {
      const text = i.toString(36).padStart(6, "0");
      let hash = state;
      for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
      const other = known.get(hash);
      known.set(hash, text);
      if (other === undefined) continue;
      pairs.push([other, text]);
      state = hash;
      break;
    }
  }
  return pairs;
}

test("texts of one hash cost no more than others", () => {
  const check = findByteCheck({ type: "array", uniqueItems: true, items: { type: "string" } }, "request");
  const pieces = collidingPieces(15);
  const texts = Array.from({ length: 1 << 15 }, (_, i) => pieces.map((pair, bit) => pair[(i >> bit) & 1]).join(""));
  const before = process.cpuUsage().user;
  assert.equal(check?.(Buffer.from(JSON.stringify(texts))), true);
  assert.ok(process.cpuUsage().user - before < 2_000_000, "compared each with each");
});

test("a text that is not UTF-8 is left to somebody slower", () => {
  const check = findByteCheck({ type: "string", maxLength: 3 }, "request");
  assert.equal(check?.(Buffer.from('"héé"')), true);
  assert.equal(check?.(Buffer.from('"hé\u{1f600}"')), true);
  assert.equal(check?.(Buffer.from('"héé"', "latin1")), false);
  assert.equal(check?.(Buffer.from('"hééé"')), false);
});

test("a schema with more than a scan can decide has none, or leaves the member to somebody slower", () => {
  for (const schema of [{ not: {} }, { if: {} }, { $ref: "#/elsewhere" }, { $ref: "#" }])
    assert.equal(findByteCheck(cleanSchema(schema), "request"), undefined, JSON.stringify(schema));
  const properties = { a: { not: { type: "string" } }, b: { type: "integer" } };
  const check = findByteCheck(cleanSchema({ type: "object", properties }), "request");
  assert.equal(check?.(Buffer.from('{"b":1}')), true);
  assert.equal(check?.(Buffer.from('{"a":1}')), false);
});

test("of several schemas exactly one holds only where the scan is sure of the others", () => {
  const card = { type: "object", required: ["card"], properties: { card: { type: "string" } } };
  const transfer = { type: "object", required: ["iban"], properties: { iban: { type: "string" } } };
  const unsure = { type: "object", properties: { card: { not: { type: "number" } } } };
  const rows: [oneOf: object[], text: string, isAccepted: boolean][] = [
    [[card, transfer], '{"card":"1"}', true],
    [[card, transfer], '{"iban":"1"}', true],
    [[card, transfer], '{"iban":"1","card":"1"}', false],
    [[card, transfer], "{}", false],
    [[card, unsure], '{"card":"1"}', false],
    [[unsure, card], '{"card":"1"}', false],
    [[{ type: "integer" }, { type: "number" }], "1.5", true],
    [[{ type: "integer" }, { type: "number" }], "1", false],
  ];
  for (const [oneOf, text, isAccepted] of rows) {
    const check = findByteCheck(cleanSchema({ oneOf }), "request");
    assert.equal(check?.(Buffer.from(text)), isAccepted, JSON.stringify([oneOf, text]));
  }
});

test("branches within branches cost no more than a few looks at each byte", () => {
  const fork = (name: string) => ({ properties: { a: { $ref: "#/$defs/node" } }, required: [name] });
  const schema = { $ref: "#/$defs/node", $defs: { node: { anyOf: [fork("x"), fork("y")] } } };
  const check = findByteCheck(cleanSchema(schema), "request");
  const bytes = Buffer.from(`${'{"a":'.repeat(60)}{}${"}".repeat(60)}`);
  const from = process.cpuUsage();
  assert.equal(check?.(bytes), false);
  const { user } = process.cpuUsage(from);
  assert.ok(user < 2_000_000, `${user} µs, where 2⁶⁰ looks would take for ever`);
});

test("a whole number that no double holds is compared digit by digit, or left to somebody slower", () => {
  const rows: [schema: object, accepted: string[], left: string[]][] = [
    [{ type: "integer" }, ["9007199254740993", "-123456789012345678901234567890"], ["9007199254740993.5", "1e30"]],
    [{ type: "integer", format: "int64" }, ["9223372036854775807"], ["9223372036854775808", "-9223372036854775809"]],
    [{ type: "integer", maximum: 9007199254740996 }, ["9007199254740995"], ["9007199254740997"]],
    [{ type: "integer", minimum: -9007199254740996 }, ["-9007199254740995"], ["-9007199254740997"]],
    [{ enum: [9007199254740992] }, [], ["9007199254740992", "9007199254740993"]],
    [{ multipleOf: 2 }, [], ["9007199254740994"]],
    [{ type: "array", uniqueItems: true }, ["[1,2]"], ["[9007199254740993,9007199254740992]"]],
    [{ type: "array", items: { type: "integer" } }, ["[9007199254740993,1.0,7]"], ["[9007199254740993,1.5]"]],
    [{}, [], ["9".repeat(400)]],
  ];
  for (const [schema, accepted, left] of rows) {
    const check = findByteCheck(cleanSchema(schema), "request");
    for (const text of accepted) assert.equal(check?.(Buffer.from(text)), true, `${JSON.stringify(schema)}: ${text}`);
    for (const text of left) assert.equal(check?.(Buffer.from(text)), false, `${JSON.stringify(schema)}: ${text}`);
    for (const text of accepted) assert.ok(isValid(schema, Buffer.from(text)), text);
  }
});

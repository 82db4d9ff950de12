import assert from "node:assert/strict";
import { basename } from "node:path";
import { test } from "node:test";
import { lintSpec } from "../../src/openapi/lint.ts";
import { findHazard } from "../../src/openapi/lint-pattern.ts";
import { specOf } from "../support/spec-files.ts";

const HAZARDS = ["^(a+)+$", "(a*)*", "(\\d+)*x", "([a-z]+\\s?)+", "(a|a)*", "((a+))+", "(?:a+){2,}", "("];
const FINE = [
  "^[a-z]+$",
  "(ab)+",
  "^([a-z]+\\.)+[a-z]+$",
  "(a|b)*",
  "^\\d{3}-\\d+$",
  "(a+)?",
  "[(+)]+",
  "\\(a+\\)+",
  "a+b+",
];

for (const pattern of HAZARDS) test(`${pattern} is a hazard`, () => assert.notEqual(findHazard(pattern), undefined));
for (const pattern of FINE) test(`${pattern} is none`, () => assert.equal(findHazard(pattern), undefined));

test("what will surprise the author of a spec is found, with its place", async (t) => {
  const spec = await specOf(t, {
    "api.yaml": `
openapi: 3.1.0
info: { title: Lint, version: "1" }
security: [{ nowhere: [] }]
paths:
  /a/{id}:
    get:
      operationId: same
      security: [{ none: [] }]
      parameters:
        - { name: q, in: query }
        - { name: other, in: path, required: true, schema: { pattern: "(a+)+" } }
        - { name: styled, in: query, style: matrix, schema: { type: strnig, required: true, patternProperties: { "(b+)+": {} } } }
      responses: { ok: { description: "" } }
  /b//c: { get: { operationId: same, x-sunset: soon, responses: {} } }
  /d?e=f: { get: { responses: {} } }
  /t: { trace: { responses: {} } }
  /u%0Av: { get: { responses: {} } }
  /w{x: { get: { responses: {} } }
  /x/../y: { get: { responses: {} } }
`,
  });
  const found = lintSpec(spec).map(({ pointer, message }) => `${pointer} ${message}`);
  const expected = [
    /a~1\{id\}\/get\/parameters\/0 .*q has no schema/,
    /get\/parameters\/1 .*other is not in/,
    /\{id\} of the path is not declared/,
    /security names none/,
    /b~1~1c .*has an empty segment/,
    /operationId same is another/,
    /x-sunset is "soon"/,
    /d\?e=f .*has a query/,
    /parameters\/1\/schema\/pattern .*exponential/,
    /parameters\/2 .*style matrix, which a query does not have/,
    /parameters\/2\/schema\/type type is "strnig", which says nothing/,
    /parameters\/2\/schema\/required required is true, which says nothing/,
    /patternProperties\/\(b\+\)\+ .*exponential/,
    /get\/responses ok is no status/,
    /^\/security security names nowhere/,
    /t\/trace TRACE \/t cannot be reached/,
    /u%250Av .*control characters/,
    /x~1\.\.~1y .*cannot be reached: dot segments/,
    /w\{x .*a brace without its other one/,
  ];
  for (const sentence of expected)
    assert.ok(
      found.some((text) => sentence.test(text)),
      `${sentence} in\n${found.join("\n")}`,
    );
  assert.equal(found.length, expected.length, found.join("\n"));
});

test("every file of a split document is looked at, and what is wrong is told once, where it stands", async (t) => {
  const spec = await specOf(t, {
    "api.yaml": {
      openapi: "3.1.0",
      paths: {
        "/a": { get: { $ref: "in/operations.yaml#/list" }, post: { parameters: [{ $ref: "in/common.yaml#/q" }] } },
        "/b": { $ref: "in/operations.yaml#/item" },
      },
    },
    "in/operations.yaml": {
      list: { parameters: [{ $ref: "common.yaml#/q" }], responses: { x: {} } },
      item: { get: { requestBody: { content: { "application/json": { schema: { $ref: "common.yaml#/Tree" } } } } } },
    },
    "in/common.yaml": {
      q: { name: "q", in: "query" },
      Tree: { properties: { name: { pattern: "(a+)+" }, children: { items: { $ref: "#/Tree" } } } },
    },
  });
  const found = lintSpec(spec).map(({ file, pointer }) => `${basename(file)}#${pointer}`);
  assert.deepEqual(found, [
    "common.yaml#/q",
    "operations.yaml#/list/responses",
    "common.yaml#/Tree/properties/name/pattern",
  ]);
});

test("an operation whose method this Node cannot read is told of", async (t) => {
  const operations = { additionalOperations: { COPY: { responses: {} }, TAKE: { responses: {} } } };
  const spec = await specOf(t, { "api.json": { openapi: "3.2.0", paths: { "/a": operations } } });
  assert.deepEqual(
    lintSpec(spec).map(({ message }) => message.replace(/Node v\S+/, "Node")),
    ["TAKE /a cannot be reached: Node does not read TAKE requests"],
  );
});

import assert from "node:assert/strict";
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
paths:
  /a/{id}:
    get:
      operationId: same
      security: [{ none: [] }]
      parameters:
        - { name: q, in: query }
        - { name: other, in: path, required: true, schema: { pattern: "(a+)+" } }
      responses: {}
  /b//c: { get: { operationId: same, x-sunset: soon, responses: {} } }
  /d?e=f: { get: { responses: {} } }
`,
  });
  const found = lintSpec(spec).map(({ pointer, message }) => `${pointer} ${message}`);
  const expected = [
    /a~1\{id\}\/get\/parameters\/0 .*q has no schema/,
    /get\/parameters\/1 .*other is not in/,
    /\{id\} of the path is not declared/,
    /security names none/,
    /b~1~1c .*cannot be reached/,
    /operationId same is another/,
    /x-sunset is "soon"/,
    /d\?e=f .*has a query/,
    /parameters\/1\/schema\/pattern .*exponential/,
  ];
  for (const sentence of expected)
    assert.ok(
      found.some((text) => sentence.test(text)),
      `${sentence} in\n${found.join("\n")}`,
    );
  assert.equal(found.length, expected.length, found.join("\n"));
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ERRORS, type ErrorCode, type ErrorSpec, GatewayError } from "../src/core/errors.ts";

const page = readFileSync("docs/errors.md", "utf8");
const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((text) => [text.slice(0, text.indexOf("\n")).trim(), text]),
);

test("every code of the error table has a section, and every section a code", () => {
  assert.deepEqual([...sections.keys()].sort(), Object.keys(ERRORS).sort());
});

for (const [code, { status, title }] of Object.entries(ERRORS)) {
  test(`docs/errors.md tells status and title of ${code}`, () => {
    assert.match(sections.get(code) ?? "", new RegExp(`\\*\\*${status}\\*\\* ${title.replace(/[.()']/g, "\\$&")}`));
  });
}

test("a stack is taken of what somebody has to mend, and of nothing that a flood could have made", () => {
  const limit = Error.stackTraceLimit;
  for (const [code, { source, isRefusal }] of Object.entries<ErrorSpec>(ERRORS)) {
    const { stack = "" } = new GatewayError(code as ErrorCode, "a detail");
    assert.equal(/^ +at /m.test(stack), source !== "client" && isRefusal !== true, code);
    assert.match(stack, /a detail/);
  }
  for (const code of ["OVERLOADED", "CIRCUIT_OPEN", "UPSTREAM_BUSY", "NO_INSTANCE", "OPERATION_UNKNOWN"] as const)
    assert.doesNotMatch(new GatewayError(code, "a detail").stack ?? "", /^ +at /m, code);
  assert.match(new GatewayError("PLUGIN_FAILED", "a detail").stack ?? "", /errors\.test\.ts/);
  assert.equal(Error.stackTraceLimit, limit);
});

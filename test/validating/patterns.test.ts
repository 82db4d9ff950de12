import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { findMatcher } from "../../src/validating/schema/pattern.ts";
import { patternCost } from "../../src/validating/schema/pattern-cost.ts";
import { bodyDocument, specGateway } from "../support/spec-gateway.ts";

const EVIL = [
  "^(a+)+$",
  "(a|a)*b",
  "^(a|aa)+$",
  "(.*a){12}",
  "^([a-z0-9]+-?)*$",
  "a*a*a*a*b",
  "^(?=(a+)+$)a*!",
  "(a+)+\\1$",
  "^(?:\\w+\\s?)+$",
];

test("no pattern holds the event loop, whatever a client sends", async (t) => {
  for (const pattern of EVIL) {
    const gateway = await specGateway(t, {
      document: bodyDocument({ "text/plain": { schema: { type: "string", pattern } } }),
    });
    const post = (body: string): Promise<{ status: number }> =>
      gateway.send("POST", "/", { headers: { "content-type": "text/plain" }, body });
    await post("warm".repeat(50));
    // CPU time of this process: the wall clock of a busy machine says little.
    const before = process.cpuUsage();
    const { status } = await post(`${"a".repeat(50_000)}!`);
    const { user, system } = process.cpuUsage(before);
    assert.ok(status === 400 || status === 200, pattern);
    assert.ok(user + system < 1_000_000, `${pattern} took ${user + system} µs`);
  }
});

test("what is called linear is linear", () => {
  const rows: Record<string, Partial<ReturnType<typeof patternCost>>> = {
    "^[a-z]+$": { degree: 1, isNested: false },
    "^abc$": { degree: 0, isNested: false },
    "a+b": { degree: 2, isNested: false },
    "^a*b*c*$": { degree: 3 },
    "^(a+)+$": { isNested: true },
    "^(?:ab)*$": { isNested: true },
    "^[a-z]{1,9}\\d{3}$": { degree: 1 },
    "^(?=.*\\d).+$": { needsBacktracking: true, degree: 2 },
    "^(.)\\1$": { needsBacktracking: true },
    "^a|b+$": { degree: 2 },
  };
  for (const [pattern, expected] of Object.entries(rows)) {
    const cost = patternCost(pattern);
    for (const [key, value] of Object.entries(expected))
      assert.equal(cost[key as keyof typeof cost], value, `${pattern} ${key}`);
  }
});

test("the linear engine agrees with the platform's", () => {
  const sources = [
    "^(?:[a-c]+-)*[a-c]+$",
    "^(?:a|b\\s)+$",
    "(?:ab?)+c$",
    "^(?:[\\s\\d]+x)*$",
    "^(?:.x)+$",
    "^(?:\\u0061|\\/)+$",
    "^(?:[^a]b)+$",
  ];
  const matchers = sources.map((source) => [new RegExp(source, "u"), findMatcher(source)] as const);
  const text = fc.string({
    unit: fc.constantFrom("a", "b", "c", "-", " ", "\u00a0", "\n", "\u2028", "x", "1", "/"),
    minLength: 19,
    maxLength: 24,
  });
  fc.assert(
    fc.property(text, (value) => {
      for (const [native, matcher] of matchers)
        assert.equal(matcher?.test(value), native.test(value), `${native} on ${JSON.stringify(value)}`);
    }),
    { numRuns: 300 },
  );
});

test("a pattern that no engine reads refuses nobody", async (t) => {
  const gateway = await specGateway(t, {
    document: bodyDocument({ "application/json": { schema: { type: "string", pattern: "(?<" } } }),
  });
  const { status } = await gateway.send("POST", "/", { headers: { "content-type": "application/json" }, body: '"x"' });
  assert.equal(status, 200);
});

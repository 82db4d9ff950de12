import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { findDictionary, parseDirectives } from "../../src/caching/directives.ts";
import { findInFrame, toFrame } from "../../src/caching/frame.ts";
import { toFreshness } from "../../src/caching/freshness.ts";
import { findHttpDate, toHttpDate } from "../../src/caching/http-date.ts";
import { selectingFields, variantOf } from "../../src/caching/vary.ts";
import { HeaderList } from "../../src/core/headers.ts";
import { storedAnswer } from "../support/stored-answer.ts";

const text = fc.string({ unit: "binary-ascii" });

test("whatever stands in the fields, freshness is a number and nothing is thrown", () => {
  const fields = fc.record({ "cache-control": text, expires: text, age: text, date: text, "cdn-cache-control": text });
  fc.assert(
    fc.property(fields, (record) => {
      const { freshness } = toFreshness(200, HeaderList.from(record), { heuristic: true }, 1000, 1000);
      assert.ok(Number.isFinite(freshness.bornAtMs) && freshness.freshUntilMs >= freshness.bornAtMs);
    }),
  );
});

test("no-store is found wherever it stands as a member of its own", () => {
  const junk = fc.array(
    fc.oneof(
      text.filter((t) => !t.includes('"')),
      fc.constant('a="b, no-store"'),
    ),
  );
  fc.assert(
    fc.property(junk, junk, (before, after) => {
      assert.equal(parseDirectives([...before, " No-Store ", ...after].join(",")).noStore, true);
    }),
  );
});

test("a dictionary that can be written can be read", () => {
  const key = fc.stringMatching(/^[a-z*][a-z0-9_\-.*]{0,8}$/);
  fc.assert(
    fc.property(fc.dictionary(key, fc.integer({ min: 0, max: 999_999 })), (members) => {
      const entries = Object.entries(members);
      const found = findDictionary(entries.map(([name, value]) => `${name}=${value};p="x, y"`).join(", "));
      assert.deepEqual(
        [...(found ?? [])].map(([name, { text: value }]) => [name, Number(value)]),
        entries,
      );
    }),
  );
});

test("a date that is written is read as the same second", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_102_444_800 }), (seconds) => {
      assert.equal(findHttpDate(toHttpDate(seconds * 1000), 0), seconds * 1000);
    }),
  );
});

test("requests with different selecting values are different variants", () => {
  const value = fc.option(fc.stringMatching(/^[a-z=]{0,4}$/), { nil: undefined });
  const values = fc.record({ a: value, b: value });
  const listOf = ({ a, b }: { a: string | undefined; b: string | undefined }): HeaderList =>
    HeaderList.from([...(a === undefined ? [] : [["a", a] as const]), ...(b === undefined ? [] : [["b", b] as const])]);
  fc.assert(
    fc.property(values, values, (one, two) => {
      const selectors = selectingFields("b, A") ?? [];
      const isSame = one.a === two.a && one.b === two.b;
      assert.equal(variantOf(selectors, listOf(one)) === variantOf(selectors, listOf(two)), isSame);
    }),
  );
});

test("a damaged frame is no answer, and nothing is thrown", () => {
  const frame = toFrame(storedAnswer("key"), Date.now() + 60_000);
  assert.ok(findInFrame(frame, "key", Date.now()));
  assert.equal(findInFrame(frame, "other", Date.now()), undefined);
  fc.assert(
    fc.property(fc.nat(frame.length - 1), (length) => {
      assert.equal(findInFrame(frame.subarray(0, length), "key", Date.now()), undefined);
    }),
  );
});

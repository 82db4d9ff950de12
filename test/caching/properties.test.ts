import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { findDictionary, parseDirectives } from "../../src/caching/directives.ts";
import { findInFrame, toFrame } from "../../src/caching/frame.ts";
import { toFreshness } from "../../src/caching/freshness.ts";
import { findHttpDate, toHttpDate } from "../../src/caching/http-date.ts";
import { toKey } from "../../src/caching/key.ts";
import { KeyHasher } from "../../src/caching/key-hash.ts";
import type { CacheOptions } from "../../src/caching/options.ts";
import { findStorable } from "../../src/caching/policy.ts";
import { Routine } from "../../src/caching/routine.ts";
import { selectingFields, variantOf } from "../../src/caching/vary.ts";
import { Exchange } from "../../src/core/exchange.ts";
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

test("whatever was learned before, what is taken for routine may be stored", () => {
  const field = fc.constantFrom<[string, string]>(
    ["Cache-Control", "max-age=60"],
    ["Cache-Control", "public, max-age=60"],
    ["Cache-Control", "no-store"],
    ["Cache-Control", "private"],
    ["Cache-Control", "max-age=0"],
    ["CDN-Cache-Control", "no-store"],
    ["Set-Cookie", "a=b"],
    ["Vary", "Accept"],
    ["Vary", "*"],
    ["Expires", "0"],
    ["Expires", toHttpDate(61_000)],
    ["ETag", '"a"'],
    ["Age", "100"],
    ["Pragma", "no-cache"],
  );
  const usual: [string, string][] = [["Cache-Control", "max-age=60"]];
  const exchange = fc.record({
    status: fc.constantFrom(200, 200, 200, 404, 206, 299, 500),
    told: fc.oneof(fc.constant(usual), fc.array(field, { maxLength: 3 })),
    asked: fc.constantFrom<[string, string][]>([], [], [], [["Authorization", "a"]], [["Cookie", "a"]]),
    isUntilClose: fc.constantFrom(false, false, true),
  });
  const options = fc.constantFrom<CacheOptions>({}, { ttlSeconds: 60 }, { heuristic: true });
  let covered = 0;
  fc.assert(
    fc.property(fc.array(exchange, { minLength: 2, maxLength: 20 }), options, (exchanges, route) => {
      const routine = new Routine(route);
      for (const { status, told, asked, isUntilClose } of exchanges) {
        const response = { status, headers: HeaderList.from(told), body: null, isUntilClose };
        const requestHeaders = HeaderList.from(asked);
        const at = { requestedAtMs: 1000, receivedAtMs: 1000, requestDirectives: undefined, isPartitioned: false };
        const storable = findStorable({ ...at, requestHeaders, response, options: route });
        if (routine.covers(response, requestHeaders)) {
          covered++;
          assert.deepEqual(storable?.selectors, []);
        } else if (storable !== undefined && storable.selectors.length === 0) {
          routine.learn(response, requestHeaders, storable);
        }
      }
    }),
    { numRuns: 1000 },
  );
  assert.ok(covered > 100, `${covered} of them`);
});

test("a key has one hash, whether its text is there or only its lines", () => {
  const hasher = new KeyHasher();
  const line = fc.stringMatching(/^[\x20-\xff]{0,20}$/);
  fc.assert(
    fc.property(
      fc.constantFrom("http\na\n", "https\nexample.com:8080\n", "\n\n", ""),
      line,
      line,
      (first, path, query) => {
        assert.equal(hasher.hashLines(first, path, query), hasher.hash(`${first}${path}\n${query}\n`));
      },
    ),
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

test("no two requests share a key, whatever stands in host, path, query, fields and consumer", () => {
  // What reaches the key holds no line break: Node refuses it in a request line and in a field.
  const line = fc.oneof(
    fc.string({ unit: "binary-ascii", maxLength: 6 }).map((value) => value.replaceAll(/[\r\n]/g, "")),
    fc.constantFrom("", "x-host: a", "a=b", "a=\0", "\0", "~", "http", "/"),
  );
  const optional = fc.option(line, { nil: undefined });
  const request = fc.record({
    scheme: fc.constantFrom("http", "https"),
    authority: line,
    path: line,
    query: line,
    "x-host": optional,
    "x-original-url": optional,
    "said-host": optional,
    a: optional,
    b: optional,
    cookie: fc.option(fc.stringMatching(/^(c=[a-z]{0,2}|d=1)(; c=[a-z]{0,2})?$/), { nil: undefined }),
    // Of a token, so it may be anything.
    partition: fc.oneof(line, fc.constantFrom("\n", "x-host: a\n", "\n\nx", "a\nb")),
  });
  const parts = { mode: "declared", query: undefined, headers: ["a", "b"], cookies: ["c"] } as const;
  const keyOf = ({
    scheme,
    authority,
    path,
    query,
    partition,
    ...fields
  }: typeof request extends fc.Arbitrary<infer R> ? R : never) => {
    const headers = new HeaderList();
    for (const [name, value] of Object.entries(fields)) {
      if (value !== undefined && name !== "said-host") headers.append(name, value);
    }
    const asked = {
      scheme,
      authority,
      path,
      query,
      headers,
      method: "GET",
      target: "",
      body: null,
      httpVersion: "1.1",
    };
    const exchange = new Exchange({ id: "1", request: asked, client: { address: "", peer: "" }, startedAtMs: 0 });
    const cookies = (fields.cookie ?? "").split("; ").filter((pair) => pair.startsWith("c="));
    const told = { ...fields, cookie: cookies.join(";"), scheme, authority, path, query, partition };
    return { key: toKey(exchange, parts, partition, fields["said-host"]), told };
  };
  fc.assert(
    fc.property(request, request, fc.array(fc.constantFrom(...REQUEST_PARTS), { maxLength: 9 }), (one, other, same) => {
      // Mostly alike: two requests at random would differ everywhere.
      const two = { ...other, ...Object.fromEntries(same.map((name) => [name, one[name]])) } as typeof one;
      const [first, second] = [keyOf(one), keyOf(two)];
      assert.equal(first.key === second.key, isDeepStrictEqual(first.told, second.told));
    }),
    { numRuns: 3000 },
  );
});

const REQUEST_PARTS = [
  "scheme",
  "authority",
  "path",
  "query",
  "x-host",
  "x-original-url",
  "said-host",
  "a",
  "b",
  "cookie",
  "partition",
] as const;

test("directives are read whatever stands between them, and never for longer than one of them says", () => {
  const seconds = fc.nat(10_000);
  const directive = fc.oneof(
    fc.tuple(fc.constantFrom("max-age", "Max-Age", "MAX-AGE"), seconds).map(([name, value]) => `${name}=${value}`),
    fc.constantFrom("public", "foo", 'ext="a, max-age=99999"', "", " ", 'no-transform="'.slice(0, 12), "x=y"),
  );
  fc.assert(
    fc.property(fc.array(directive, { maxLength: 8 }), fc.constantFrom(",", ", ", " ,\t"), (members, comma) => {
      const stated = members.flatMap((member) => /^max-age=(\d+)$/i.exec(member)?.[1] ?? []).map(Number);
      const { maxAge } = parseDirectives(members.join(comma));
      assert.equal(maxAge, stated.length === 0 ? undefined : Math.min(...stated));
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

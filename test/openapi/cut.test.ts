import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { Pace } from "../../src/core/pace.ts";
import { cut, Join } from "../../src/openapi/cut.ts";
import { findJsonError } from "../../src/openapi/json-error.ts";
import { readDocument } from "../../src/openapi/load.ts";

const joined = (document: unknown, pieceLength: number): unknown => {
  const join = new Join();
  for (const piece of cut(document, pieceLength)) join.add(structuredClone(piece));
  return join.document;
};

test("a document that was cut to pieces is put together as it was, in the order that it had", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.integer({ min: 1, max: 200 }), (document, pieceLength) => {
      assert.equal(JSON.stringify(joined(document, pieceLength)), JSON.stringify(document));
    }),
    { numRuns: 300 },
  );
});

test("what JSON has no word for and names that mean something to JavaScript come through", () => {
  const document = { big: Number.POSITIVE_INFINITY, list: [1, [2, [3]]], names: JSON.parse('{"__proto__":{"a":1}}') };
  for (const pieceLength of [1, 10, 1_000]) {
    const copy = joined(document, pieceLength) as typeof document;
    assert.equal(copy.big, Number.POSITIVE_INFINITY);
    assert.deepEqual(copy.list, document.list);
    assert.equal(JSON.stringify(copy.names), '{"__proto__":{"a":1}}');
  }
});

const paths = (count: number): string =>
  Array.from(
    { length: count },
    (_, i) =>
      `  /things/${i}:\n    get:\n      operationId: thing${i}\n      description: ${"text ".repeat(20)}\n      responses: { "200": *ok }\n`,
  ).join("");
const yaml = (count: number): string =>
  `openapi: 3.1.0\ninfo: { title: t, version: "1" }\nx-ok: &ok { description: fine, x-limit: .inf }\npaths:\n${paths(count)}`;

test("a large document that is read beside traffic is the one that is read at a start", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "portico-cut-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "api.yaml");
  await writeFile(file, yaml(1_000));
  const beside = await readDocument(file, Pace.besideTraffic());
  assert.deepEqual(beside, await readDocument(file));
  await writeFile(file, `${yaml(1_000)}  /broken: { get: [ }\n`);
  await assert.rejects(readDocument(file, Pace.besideTraffic()), (error: { location?: { line?: number } }) => {
    assert.equal(error.location?.line, 5_005);
    return true;
  });
});

test("where a text stops being JSON is where the parser stumbles", () => {
  const mutated = fc.tuple(
    fc.json({ maxDepth: 4 }),
    fc.nat(),
    fc.constantFrom("", ",", "}", "]", ":", '"', "x", "1", "{"),
  );
  fc.assert(
    fc.property(mutated, ([text, at, insert]) => {
      const place = at % (text.length + 1);
      const broken = text.slice(0, place) + insert + text.slice(place + 1);
      let isJson = true;
      try {
        JSON.parse(broken);
      } catch {
        isJson = false;
      }
      const error = findJsonError(broken);
      if (isJson) assert.equal(error, broken.length);
      else assert.ok(error <= broken.length);
    }),
    { numRuns: 1_000 },
  );
  for (const [text, offset] of [
    ['{"a":1,}', 7],
    ["[1 2]", 3],
    ['{"a" 1}', 5],
    ["[1,\n tru]", 5],
    ["{", 1],
    ['["a\nb"]', 1],
  ] as const) {
    assert.equal(findJsonError(text), offset, text);
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readText } from "../../src/discovery/body-text.ts";
import { JsonListParser } from "../../src/discovery/json-list.ts";

function parse(text: string, size: number): unknown[] {
  const items: unknown[] = [];
  const parser = new JsonListParser((item) => items.push(item));
  for (let i = 0; i < text.length; i += size) parser.push(text.slice(i, i + size));
  parser.end();
  return items;
}

test("a list of objects is read as JSON.parse reads it, however it is cut into pieces", () => {
  const item = fc.dictionary(fc.string(), fc.jsonValue());
  fc.assert(
    fc.property(
      fc.array(item),
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 0, max: 2 }),
      (list, size, space) => {
        const text = JSON.stringify(list, null, space);
        assert.deepEqual(parse(text, size), JSON.parse(text));
      },
    ),
  );
});

for (const text of [
  "",
  "{}",
  "[",
  "[{}",
  "null",
  "[1]",
  '["a"]',
  "[{}]x",
  "[{}] [",
  "[{]}",
  "[{a}]",
  '[{"a":"}]',
  "[[]]",
]) {
  test(`${text || "nothing"} is no list of objects`, () => {
    for (const size of [1, 100]) assert.throws(() => parse(text, size), SyntaxError);
  });
}

test("an item that does not end is not kept for ever", () => {
  const parser = new JsonListParser(() => {});
  parser.push("[{");
  assert.throws(() => {
    for (let i = 0; i < 100; i++) parser.push("1".repeat(100_000));
  }, RangeError);
});

test("a character that two pieces of a body share is read whole", async () => {
  const bytes = Buffer.from("größer als 日本 🙂");
  for (let cut = 1; cut < bytes.length; cut++) {
    let text = "";
    for await (const piece of readText(pieces(bytes.subarray(0, cut), bytes.subarray(cut)))) text += piece;
    assert.equal(text, bytes.toString());
  }
});

async function* pieces(...all: Buffer[]): AsyncGenerator<Buffer, void> {
  yield* all;
}

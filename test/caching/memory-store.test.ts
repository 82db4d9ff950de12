import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { StoredAnswer, StoredChunks, StoredRecord } from "../../src/caching/answer.ts";
import { KeyHasher } from "../../src/caching/key-hash.ts";
import { MemoryStore } from "../../src/caching/memory-store.ts";
import { HeaderList } from "../../src/core/headers.ts";
import { storedAnswer } from "../support/stored-answer.ts";

test("memory never holds more than it was given, in bytes and in entries", () => {
  const step = fc.record({
    key: fc.nat(300),
    bytes: fc.nat(4000),
    isLarge: fc.boolean(),
    isFound: fc.boolean(),
    isConfirmed: fc.boolean(),
    isRead: fc.boolean(),
  });
  const limits = fc.record({ bytes: fc.constantFrom(10_000, 100_000, 1_000_000), entries: fc.nat(200) });
  fc.assert(
    fc.property(limits, fc.array(step, { maxLength: 300 }), ({ bytes: limit, entries }, steps) => {
      const store = new MemoryStore({ bytes: limit, entries });
      const large: StoredAnswer[] = [];
      const held: StoredChunks[] = [];
      for (const { key, bytes, isLarge, isFound, isConfirmed, isRead } of steps) {
        const known = large[key % (large.length + 1)];
        // Renewed by a 304, whether or not its body has been evicted meanwhile.
        if (isConfirmed && known !== undefined) store.put({ ...known });
        if (isRead && known?.chunks !== undefined) {
          store.hold(known.chunks);
          held.push(known.chunks);
        } else if (isRead && held.length > 0) store.release(held.shift() as StoredChunks);
        if (isFound) store.find(`k${key}`);
        if (!isLarge) store.put(storedAnswer(`k${key}`, { body: Buffer.alloc(bytes) }));
        else {
          const writer = store.createBody();
          if (writer.write(Buffer.alloc(bytes)) === true) {
            const chunks = writer.finish();
            assert.ok(chunks !== undefined && !(chunks instanceof Promise));
            const answer = storedAnswer(`k${key}`, { body: null, chunks, length: bytes });
            store.put(answer);
            large.push(answer);
          }
        }
        assert.ok(store.bytes <= limit && store.bytes >= 0 && store.entries <= entries);
      }
      store.clear();
      for (const chunks of held) store.release(chunks);
      assert.equal(store.bytes, 0);
    }),
    { numRuns: 30 },
  );
});

test("it holds the latest of each key, and forgets the least recently used first", () => {
  const step = fc.record({
    what: fc.constantFrom("put", "put", "put", "find", "find", "delete"),
    key: fc.nat(60),
    bytes: fc.oneof(fc.nat(500), fc.nat(9000)),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 100, maxLength: 400 }), (steps) => {
      const store = new MemoryStore({ bytes: 4_000_000, entries: 20 });
      const model = new Map<string, number>();
      for (const [count, { what, key, bytes }] of steps.entries()) {
        const name = `k${key}`;
        const known = model.get(name);
        if (what === "find") assert.equal(bodyOf(store.find(name)), known === undefined ? undefined : toBody(known));
        model.delete(name);
        if (what === "put") {
          store.put(storedAnswer(name, { body: Buffer.from(toBody(count, bytes)) }));
          model.set(name, count);
          if (model.size > 20) model.delete(model.keys().next().value as string);
        } else if (what === "delete") store.delete(name);
        else if (known !== undefined) model.set(name, known);
        assert.equal(store.entries, model.size);
      }
      for (const [name, count] of model) assert.equal(bodyOf(store.find(name)), toBody(count));
    }),
    { numRuns: 30 },
  );
});

for (const limit of [1024, 4096]) {
  test(`of ${limit} it forgets the least recently used first, but for the few that it has just been given`, () => {
    const late = limit / 64;
    const what = fc.oneof(
      { arbitrary: fc.constantFrom("put", "find"), weight: 50 },
      { arbitrary: fc.constantFrom("delete", "count"), weight: 1 },
    );
    const step = fc.record({ what, key: fc.nat(limit * 2) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 500, maxLength: 3000 }), fc.nat(limit), (steps, from) => {
        const store = new MemoryStore({ bytes: 64_000_000, entries: limit });
        const model = new Map<string, number>();
        const gone = new Set<string>();
        const put = (name: string, count: number): void => {
          store.put(storedAnswer(name, { body: Buffer.from(toBody(count)) }));
          model.delete(name);
          model.set(name, count);
          const oldest = model.size > limit ? (model.keys().next().value as string) : undefined;
          if (oldest !== undefined) {
            model.delete(oldest);
            gone.add(oldest);
            if (gone.size > late) gone.delete(gone.keys().next().value as string);
          }
          gone.delete(name);
        };
        for (let i = 0; i < limit; i++) put(`k${from + i}`, -i);
        for (const [count, { what, key }] of steps.entries()) {
          const name = `k${key}`;
          const known = model.get(name);
          if (what === "put") put(name, count);
          else if (what === "find") {
            const found = bodyOf(store.find(name));
            if (known !== undefined) assert.equal(found, toBody(known));
            else if (!gone.has(name)) assert.equal(found, undefined);
            if (known !== undefined && model.delete(name)) model.set(name, known);
          } else if (what === "delete") {
            store.delete(name);
            model.delete(name);
          } else assert.equal(store.entries, model.size);
        }
        for (const [name, count] of model) assert.equal(bodyOf(store.find(name)), toBody(count));
        assert.equal(store.entries, model.size);
      }),
      { numRuns: 20 },
    );
  });
}

test("as many as may wait, and one that is used among them, are all there afterwards", () => {
  const store = new MemoryStore({ bytes: 64_000_000, entries: 100_000 });
  store.put(storedAnswer("used", { body: Buffer.from(toBody(-1)) }));
  assert.equal(store.entries, 1);
  for (let round = 0; round < 40; round++) {
    for (let i = 0; i < 63; i++) store.put(storedAnswer(`k${round}.${i}`, { body: Buffer.from(toBody(i)) }));
    assert.equal(bodyOf(store.find("used")), toBody(-1));
    store.put(storedAnswer(`k${round}.63`, { body: Buffer.from(toBody(63)) }));
    assert.equal(store.entries, 1 + 64 * (round + 1));
    for (let i = 0; i < 64; i++) assert.equal(bodyOf(store.find(`k${round}.${i}`)), toBody(i));
    assert.equal(store.entries, 1 + 64 * (round + 1));
  }
});

test("what waits to be entered is found at once, as it was put last", () => {
  const store = new MemoryStore({ bytes: 64_000_000, entries: 100_000 });
  for (let i = 0; i < 500; i++) {
    store.put(storedAnswer(`k${i % 7}`, { body: Buffer.from(toBody(i)) }));
    assert.equal(bodyOf(store.find(`k${i % 7}`)), toBody(i));
    store.put(storedAnswer("other", { body: Buffer.from(toBody(-i)) }));
    if (i % 5 === 0) store.delete("other");
    assert.equal(bodyOf(store.find("other")), i % 5 === 0 ? undefined : toBody(-i));
  }
  store.put(storedAnswer("last"));
  store.clear();
  assert.deepEqual([store.entries, store.bytes, store.find("last")], [0, 0, undefined]);
});

const toBody = (count: number, bytes = 0): string => String(count).padEnd(20).padEnd(bytes, ".");
const bodyOf = (record: StoredRecord | undefined): string | undefined =>
  record?.kind === "answer" ? String(record.body?.subarray(0, 20)) : undefined;

test("what was packed is unpacked as it was, whatever stands in it", () => {
  const text = fc.string({ unit: "binary", maxLength: 40 });
  const seconds = fc.nat(2 ** 31).map((count) => count * 1000);
  const parts = fc.record({
    resource: text,
    operation: text,
    operationName: text,
    tags: fc.array(text),
    status: fc.integer({ min: 200, max: 599 }),
    headers: fc
      .array(fc.tuple(fc.oneof(text, fc.constantFrom("Content-Type", "etag")), text))
      .map((lines) => new HeaderList(lines.flat())),
    body: fc.option(
      fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes)),
      { nil: null },
    ),
    freshness: fc.record(
      {
        bornAtMs: fc.double({ noNaN: true }),
        freshUntilMs: fc.double({ noNaN: true }),
        staleWhileRevalidateMs: fc.oneof(seconds, fc.nat(5000)),
        staleIfErrorMs: seconds,
        mustRevalidate: fc.boolean(),
        alwaysAsk: fc.boolean(),
      },
      { noNullPrototype: true },
    ),
    shape: text,
    seq: fc.nat(),
    localSeq: fc.integer({ min: -1, max: 1000 }),
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(text, parts), { minLength: 1, maxLength: 20 }), (records) => {
      const store = new MemoryStore({ bytes: 10_000_000, entries: 100 });
      const answers = new Map<string, StoredAnswer>();
      for (const [key, record] of records) {
        answers.set(key, storedAnswer(key, { ...record, length: record.body?.length ?? 0 }));
      }
      for (const answer of answers.values()) store.put(answer);
      for (let time = 0; time < 3; time++) {
        for (const [key, answer] of answers) {
          const found = store.find(key) as StoredAnswer;
          assert.deepEqual(
            { ...found, headers: found.headers.toFlat() },
            { ...answer, headers: answer.headers.toFlat() },
          );
        }
      }
    }),
  );
});

test("an unpacked body is never written over by what comes after it", () => {
  const store = new MemoryStore({ bytes: 200_000, entries: 1000 });
  store.put(storedAnswer("kept", { body: Buffer.alloc(500, "k") }));
  const found = store.find("kept") as StoredAnswer;
  for (let i = 0; i < 2000; i++) store.put(storedAnswer(`k${i}`, { body: Buffer.alloc(500, "x") }));
  assert.equal(store.find("kept"), undefined);
  assert.equal(String(found.body), "k".repeat(500));
});

test("small answers cost at most half of their own bytes more", () => {
  const store = new MemoryStore({ bytes: 64 * 1024 * 1024, entries: 1_000_000 });
  const headers = [
    "Content-Type",
    "application/json",
    "Date",
    "Thu, 01 Jan 2026 00:00:00 GMT",
    "Content-Length",
    "350",
  ];
  const body = Buffer.alloc(350, "x");
  let own = 0;
  for (let i = 0; i < 60_000; i++) {
    const answer = storedAnswer(`http\nexample\n/things/${i}\n\n`, {
      resource: `example\n/things/${i}`,
      headers: new HeaderList(headers),
      body,
    });
    store.put(answer);
    own += answer.key.length + headers.join("").length + body.length;
  }
  assert.equal(store.entries, 60_000);
  assert.ok(store.bytes < own * 1.5, `${store.bytes} bytes for ${own}`);
});

test("keys that a client chooses fall where it cannot foresee", () => {
  const [one, two] = [new KeyHasher(), new KeyHasher()];
  const keys = Array.from({ length: 1000 }, (_, i) => `http\nexample\n/${i}\n\n`);
  assert.ok(keys.filter((key) => one.hash(key) === two.hash(key)).length < 3);
  assert.ok(new Set(keys.map((key) => one.hash(key) & 1023)).size > 500);
});

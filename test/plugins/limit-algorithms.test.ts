import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Redis } from "ioredis";
import { ALGORITHMS, type AlgorithmName } from "../../plugins/limiting/algorithms.ts";
import { KeyTable } from "../../plugins/limiting/key-table.ts";
import { LIMIT_SCRIPT } from "../../plugins/limiting/limit-script.ts";
import { LocalLimiter } from "../../plugins/limiting/limiter.ts";
import { LimitModel } from "../support/limit-model.ts";
import { redisMissing, startRedisServer } from "../support/redis-server.ts";

const NAMES = Object.keys(ALGORITHMS) as AlgorithmName[];
/** As late as the clock of Redis, where points in time are known least exactly. */
const START_MS = 1_700_000_000_000;

const limit = fc
  .record({
    count: fc.integer({ min: 1, max: 12 }),
    seconds: fc.constantFrom(60, 100, 3600),
    extra: fc.integer({ min: 0, max: 5 }),
  })
  .map(({ count, seconds, extra }) => ({
    name: "x",
    count,
    windowMs: seconds * 1000,
    burst: Math.max(1, count - extra),
  }));
const limits = fc.array(limit, { minLength: 1, maxLength: 3 });
/** Waits in seconds, so that they often meet the edge of a window. */
const requests = fc.array(
  fc.record({ waitMs: fc.integer({ min: 0, max: 40 }).map((s) => s * 1000), cost: fc.integer({ min: 1, max: 3 }) }),
  { minLength: 1, maxLength: 60 },
);

for (const algorithm of NAMES) {
  test(`${algorithm} lets pass what the plainest model lets pass, several limits at once`, () => {
    fc.assert(
      fc.property(limits, requests, (all, sent) => {
        const limiter = new LocalLimiter(all, ALGORITHMS[algorithm], 1_000);
        const model = new LimitModel(algorithm, all);
        let now = START_MS;
        for (const { waitMs, cost } of sent) {
          now += waitMs;
          const { waitMs: told } = limiter.take("key", cost, now);
          assert.equal(told === 0, model.take(now, cost));
        }
      }),
      { numRuns: 300 },
    );
  });

  test(`${algorithm} tells a refused caller when it may come back: not earlier, and then it may`, () => {
    fc.assert(
      fc.property(limits, requests, (all, sent) => {
        const limiter = new LocalLimiter(all, ALGORITHMS[algorithm], 1_000);
        let now = START_MS;
        for (const { waitMs, cost } of sent) {
          now += waitMs;
          const { waitMs: told } = limiter.take("key", cost, now);
          if (told === 0 || !Number.isFinite(told)) continue;
          // Less than a millionth of a request counts for nothing.
          const slackMs = 1 + 2e-6 * Math.max(...all.map(({ windowMs }) => windowMs));
          if (told > slackMs) assert.ok(limiter.take("key", cost, now + told - slackMs).waitMs > 0);
          assert.equal(limiter.take("key", cost, now + told + 0.02).waitMs, 0);
          return;
        }
      }),
      { numRuns: 300 },
    );
  });
}

/** The very script, but by a clock that the test turns: KEYS[2] in place of the time of Redis. */
const byTestClock = LIMIT_SCRIPT.text.replace(
  "redis.call('TIME')",
  "{ math.floor(tonumber(KEYS[2]) / 1000), tonumber(KEYS[2]) % 1000 * 1000 }",
);

test("the script in Redis lets pass what the plainest model lets pass, several limits at once", {
  skip: redisMissing() ?? false,
}, async (t) => {
  assert.notEqual(byTestClock, LIMIT_SCRIPT.text);
  const redis = new Redis((await startRedisServer(t)).url);
  t.after(() => redis.disconnect());
  let key = 0;
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...NAMES), limits, requests, async (algorithm, all, sent) => {
      const model = new LimitModel(algorithm, all);
      const numbers = all.flatMap(({ count, windowMs, burst }) => [count, windowMs, burst]);
      const name = `key:${key++}`;
      let now = START_MS;
      const expected: boolean[] = [];
      const pipeline = redis.pipeline();
      for (const { waitMs, cost } of sent) {
        now += waitMs;
        expected.push(model.take(now, cost));
        pipeline.eval(byTestClock, 2, name, now, algorithm, cost, ...numbers);
      }
      const answers = (await pipeline.exec()) ?? [];
      assert.deepEqual(
        answers.map(([error, answer]) => (error === null ? (answer as string[])[0] === "0" : error.message)),
        expected,
      );
    }),
    { numRuns: 150 },
  );
});

test("a refusal by one limit takes nothing from the others", () => {
  for (const algorithm of NAMES) {
    const all = [
      { name: "2/min", count: 2, windowMs: 60_000, burst: 2 },
      { name: "5/day", count: 5, windowMs: 86_400_000, burst: 5 },
    ];
    const limiter = new LocalLimiter(all, ALGORITHMS[algorithm], 1_000);
    for (let i = 0; i < 50; i++) limiter.take("key", 1, START_MS);
    assert.deepEqual(limiter.take("key", 1, START_MS).remaining, [0, 3], algorithm);
  }
});

test("a full table forgets newcomers, and not the caller that is being held back", () => {
  const maxKeys = 2_000;
  const all = [{ name: "10/h", count: 10, windowMs: 3_600_000, burst: 10 }];
  const limiter = new LocalLimiter(all, ALGORITHMS.gcra, maxKeys);
  for (let i = 0; i < 10; i++) limiter.take("greedy", 1, START_MS);
  for (let i = 0; i < 20_000; i++) {
    limiter.take(`newcomer ${i}`, 1, START_MS + i);
    assert.ok(limiter.size <= maxKeys);
  }
  assert.ok(limiter.size > maxKeys / 2);
  assert.ok(limiter.take("greedy", 1, START_MS + 20_000).waitMs > 0, "a flood of new keys does not set it free");
});

test("the table of keys holds what a map would hold, until it is full; a million keys are less than 150 bytes each", () => {
  const table = new KeyTable(1, 1_000_000, () => Number.POSITIVE_INFINITY);
  const count = 200_000;
  for (let i = 0; i < count; i++) {
    const at = table.find(`key ${i}`, 0);
    table.values[at] = i + 1;
  }
  assert.equal(table.size, count);
  for (let i = 0; i < count; i += 7) {
    const at = table.find(`key ${i}`, 0);
    assert.equal(table.values[at], i + 1);
  }
  assert.equal(table.size, count);
  assert.ok(table.bytes / count < 150, `${table.bytes / count} bytes a key`);
});

test("a table holds as many keys as it may to the last one, and never more", () => {
  const maxKeys = 20_000;
  const table = new KeyTable(2, maxKeys, (values, at) => values[at] as number);
  const mark = (i: number): void => {
    const at = table.find(`key ${i}`, 0);
    table.values[at] = i + 1;
    table.values[at + 1] = -i;
  };
  for (let i = 0; i < maxKeys; i++) mark(i);
  assert.equal(table.size, maxKeys);
  for (let i = 0; i < maxKeys; i++) {
    const at = table.find(`key ${i}`, 0);
    assert.deepEqual([table.values[at], table.values[at + 1]], [i + 1, -i]);
  }
  for (let i = maxKeys; i < 2 * maxKeys; i++) mark(i);
  assert.equal(table.size, maxKeys, "beyond it, each new key takes the place of another");
});

test("no table holds more than it may, however small, and a flood of newcomers does not push out who is held back", () => {
  for (const maxKeys of [1, 2, 15, 16, 17, 100, 511, 512, 5_000]) {
    const table = new KeyTable(1, maxKeys, (values, at) => values[at] as number);
    const set = (key: string, value: number): void => {
      const at = table.find(key, 0);
      table.values[at] = value;
    };
    set("held back", 1e9);
    for (let i = 0; i < 3 * maxKeys + 200; i++) {
      set(`newcomer ${i}`, 10 + (i % 7));
      assert.ok(table.size <= maxKeys, `${table.size} of ${maxKeys}`);
    }
    assert.equal(table.size, maxKeys);
    const at = table.find("held back", 0);
    if (maxKeys >= 2) assert.equal(table.values[at], 1e9, `of ${maxKeys}`);
  }
});

test("hashes whose bits are no number as a float stay whole where they are moved", () => {
  const table = new KeyTable(2, 100_000, (values, at) => values[at] as number);
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.integer({ min: 1 }), (key, value) => {
      const at = table.find(key, 0);
      assert.equal(table.values[at], seen.get(key) ?? 0);
      table.values[at] = value;
      seen.set(key, value);
    }),
    { numRuns: 20_000 },
  );
  for (const [key, value] of seen) {
    const at = table.find(key, 0);
    assert.equal(table.values[at], value);
  }
});

test("what has expired is forgotten before anybody else", () => {
  const all = [{ name: "1/s", count: 1, windowMs: 1_000, burst: 1 }];
  const limiter = new LocalLimiter(all, ALGORITHMS.gcra, 1_024);
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 1_000; i++) limiter.take(`${round} ${i}`, 1, START_MS + round * 5_000);
  }
  assert.ok(limiter.size <= 1_024);
});

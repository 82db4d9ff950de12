import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../../src/core/clock.ts";
import { Leases, type PreservationOptions } from "../../src/registry/leases.ts";
import { eventually } from "../support/eventually.ts";

/** Leases on a clock that the test turns; the wall clock jumps about meanwhile. */
function setUp(count: number, options: PreservationOptions = {}) {
  let now = 0;
  let due: { atMs: number; callback: () => void } | undefined;
  const clock: Clock = {
    nowMs: () => (Math.random() - 0.5) * 1e15,
    monotonicMs: () => now,
    after(delayMs, callback) {
      due = { atMs: now + delayMs, callback };
      return () => {
        due = undefined;
      };
    },
  };
  const evicted: string[] = [];
  const kept = new Set<string>();
  const leases = new Leases(clock, options, {
    evict: (keys) => void evicted.push(...keys),
    keep: (key, isKept) => void (isKept ? kept.add(key) : kept.delete(key)),
  });
  const keys = Array.from({ length: count }, (_, i) => `i${i}`);
  for (const key of keys) leases.grant(key, 30);
  /** Beats each 10 s, spread over them, for those that still do. */
  const run = (seconds: number, beats: (key: string, i: number) => boolean): void => {
    const end = now + seconds * 1000;
    while (now < end) {
      now += 50;
      for (const [i, key] of keys.entries()) {
        if (now % 10_000 === (i % 20) * 500 && beats(key, i)) leases.renew(key);
      }
      if (due !== undefined && now >= due.atMs) due.callback();
    }
  };
  return { leases, evicted, kept, keys, run };
}

test("a lease that is not renewed ends, and no other", () => {
  const { evicted, run } = setUp(10);
  run(35, (_, i) => i !== 3);
  assert.deepEqual(evicted, ["i3"]);
});

test("a renewal after the end is refused", () => {
  const { leases, run } = setUp(3);
  run(31, () => false);
  assert.equal(leases.renew("i1"), false);
});

test("when all heartbeats stop at once, none of twenty is evicted and the registry says that it preserves", () => {
  const { leases, evicted, kept, run } = setUp(20);
  run(60, () => true);
  run(60, () => false);
  assert.deepEqual(evicted, []);
  assert.equal(leases.isPreserving, true);
  assert.equal(kept.size, 20);
});

test("heartbeats that come back end the preservation", () => {
  const { leases, evicted, kept, run } = setUp(20);
  run(60, () => true);
  run(40, () => false);
  run(40, () => true);
  assert.equal(leases.isPreserving, false);
  assert.deepEqual([...kept], []);
  assert.deepEqual(evicted, []);
});

test("two of twenty are few enough to be believed dead", () => {
  const { evicted, run } = setUp(20);
  run(60, () => true);
  run(60, (_, i) => i > 1);
  assert.deepEqual(evicted.sort(), ["i0", "i1"]);
});

test("nineteen are too few to tell, and all are evicted", () => {
  const { evicted, run } = setUp(19);
  run(60, () => false);
  assert.equal(evicted.length, 19);
});

test("preservation ends after its time, whatever happens", () => {
  const { leases, evicted, run } = setUp(20, { maxSeconds: 100 });
  run(120, () => false);
  assert.equal(evicted.length, 0);
  run(30, () => false);
  assert.equal(evicted.length, 20);
  assert.equal(leases.isPreserving, false);
});

test("preservation can be turned off", () => {
  const { evicted, run } = setUp(20, { enabled: false });
  run(40, () => false);
  assert.equal(evicted.length, 20);
});

test("of thousands that end at one moment, those that are granted anew while the others are told stay", async () => {
  const { leases, evicted, keys, run } = setUp(5_000, { enabled: false });
  run(30, () => false);
  const anew = keys.filter((key) => !evicted.includes(key)).slice(-100);
  for (const key of anew) leases.grant(key, 30);
  await eventually("the others are told", () => evicted.length >= keys.length - anew.length);
  assert.equal(evicted.length, keys.length - anew.length);
  assert.ok(!anew.some((key) => evicted.includes(key)));
});

test("of thousands that are kept, one that beats while the others are told is not left in doubt", async () => {
  const { leases, kept, keys, run } = setUp(5_000);
  run(30, () => false);
  const last = keys.at(-1) as string;
  assert.equal(leases.renew(last), true);
  await eventually("the others are told", () => kept.size === keys.length - 1);
  assert.ok(!kept.has(last));
});

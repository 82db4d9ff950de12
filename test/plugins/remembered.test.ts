import assert from "node:assert/strict";
import { test } from "node:test";
import { Remembered } from "../../plugins/common/remembered.ts";

test("a full memory forgets its oldest entry, and never holds more than its capacity", () => {
  const remembered = new Remembered<number>(3);
  for (let i = 0; i < 1_000; i++) {
    remembered.set(`key ${i}`, i);
    assert.ok(remembered.size <= 3);
    assert.equal(remembered.get(`key ${i}`), i);
    if (i >= 2) assert.equal(remembered.get(`key ${i - 2}`), i - 2);
    assert.equal(remembered.get(`key ${i - 3}`), undefined);
  }
});

test("it goes on so after entries were taken away, replaced, or all of them cleared", () => {
  const remembered = new Remembered<string>(2);
  for (let round = 0; round < 5; round++) {
    for (const key of ["a", "b", "a", "c", "d"]) remembered.set(key, `${key}${round}`);
    assert.deepEqual([remembered.get("c"), remembered.get("d")], [`c${round}`, `d${round}`]);
    assert.equal(remembered.get("a"), undefined);
    remembered.delete("c");
    assert.equal(remembered.size, 1);
    if (round % 2 === 0) remembered.clear();
  }
});

test("a memory without room remembers nothing", () => {
  const remembered = new Remembered<number>(0);
  remembered.set("a", 1);
  assert.equal(remembered.size, 0);
});

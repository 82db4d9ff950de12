import assert from "node:assert/strict";
import { test } from "node:test";
import { measurePick } from "../support/pick-cost.ts";

for (const policy of ["least-busy", "round-robin", "random", "peak-ewma", "hash"] as const) {
  test(`${policy}: a pick costs no more among a thousand instances than among ten, give or take its logarithm`, (t) => {
    const few = measurePick(policy, 10, true);
    const many = measurePick(policy, 1_000, true);
    t.diagnostic(`${few} ns of 10, ${many} ns of 1000`);
    // A loop over all would be a hundred times as much; the absolute number depends on who else uses the machine.
    assert.ok(many < Math.max(5_000, few * 20), `${many} ns, ${few} ns of ten`);
  });
}

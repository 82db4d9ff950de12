import assert from "node:assert/strict";
import { test } from "node:test";
import type { BalanceOptions } from "../../src/balancing/options.ts";
import { simulateSlowInstance } from "../support/simulation.ts";

const p99Of = (policy: NonNullable<BalanceOptions["policy"]>): number =>
  simulateSlowInstance({ policy, instances: 10, slowFactor: 10, serviceMs: 10, perSecond: 80, seconds: 120 }).p99Ms;

test("with one of ten instances ten times slower, least-busy and peak-EWMA cut the p99 of round robin", (t) => {
  const roundRobin = p99Of("round-robin");
  const leastBusy = p99Of("least-busy");
  const peakEwma = p99Of("peak-ewma");
  t.diagnostic(`p99: round-robin ${roundRobin} ms, least-busy ${leastBusy} ms, peak-ewma ${peakEwma} ms`);
  assert.ok(leastBusy < roundRobin * 0.7, `least-busy ${leastBusy} ms, round robin ${roundRobin} ms`);
  assert.ok(peakEwma < roundRobin * 0.3, `peak-ewma ${peakEwma} ms, round robin ${roundRobin} ms`);
});

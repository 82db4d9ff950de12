import type { BalanceOptions } from "../../src/balancing/options.ts";
import { Service } from "../../src/balancing/service.ts";
import type { Endpoint } from "../../src/core/upstream.ts";
import { exchangeOf, instancesOf } from "./balancing.ts";
import { quantile } from "./load.ts";
import { ManualClock } from "./manual-clock.ts";

export interface Simulation {
  readonly policy: NonNullable<BalanceOptions["policy"]>;
  readonly instances: number;
  /** Times as long as the others: the first instance. */
  readonly slowFactor: number;
  /** Mean time of one request at an instance, which serves one after another; exponentially distributed. */
  readonly serviceMs: number;
  readonly perSecond: number;
  readonly seconds: number;
}

/** Requests at random times to queues, on a clock of its own: the real balancer, exact latencies, no machine's noise. */
export function simulateSlowInstance(simulation: Simulation): { p99Ms: number; p50Ms: number; slowShare: number } {
  const { policy, slowFactor, serviceMs, perSecond, seconds } = simulation;
  const clock = new ManualClock();
  const prober = { canConnect: async () => true, statusOf: async () => 200 };
  const service = new Service("simulated", { balance: { policy } }, { clock, prober });
  service.update(instancesOf(simulation.instances));
  const random = lehmer(20_261_123);
  const freeAtMs = new Map<string, number>();
  const latencies: number[] = [];
  const endsAtMs = clock.monotonicMs() + seconds * 1_000;
  let slow = 0;
  while (clock.monotonicMs() < endsAtMs) {
    clock.advance((-Math.log(random()) * 1_000) / perSecond);
    const now = clock.monotonicMs();
    const endpoint = service.pick(exchangeOf({ startedAtMs: now }), []) as Endpoint;
    const isSlow = endpoint.instance.id === "a1";
    if (isSlow) slow++;
    const takesMs = -Math.log(random()) * serviceMs * (isSlow ? slowFactor : 1);
    const doneAtMs = Math.max(now, freeAtMs.get(endpoint.instance.id) ?? 0) + takesMs;
    freeAtMs.set(endpoint.instance.id, doneAtMs);
    latencies.push(doneAtMs - now);
    clock.after(doneAtMs - now, () => {
      service.report(endpoint, { kind: "response", status: 200, latencyMs: doneAtMs - now });
    });
  }
  service.close();
  return {
    p50Ms: Math.round(quantile(latencies, 0.5)),
    p99Ms: Math.round(quantile(latencies, 0.99)),
    slowShare: slow / latencies.length,
  };
}

/** Park and Miller's minimal standard generator: the same times in every run. */
function lehmer(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

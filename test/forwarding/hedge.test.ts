import assert from "node:assert/strict";
import { test } from "node:test";
import type { Exchange } from "../../src/core/exchange.ts";
import { HedgeDelay } from "../../src/forwarding/hedge-delay.ts";
import { createRetrying } from "../../src/forwarding/retry.ts";
import { exchangeOf, instancesOf, serviceOf } from "../support/balancing.ts";
import { broken, type Script, scriptTries } from "../support/scripted-tries.ts";

function hedged(scripts: Script[], instances = 3) {
  const { service } = serviceOf(instancesOf(instances));
  const { tryOnce, asked, ended } = scriptTries(service, (_, n) => scripts[Math.min(n, scripts.length) - 1] as Script);
  const forward = createRetrying(service, tryOnce, {
    retries: { attempts: 0 },
    timeouts: { totalMs: 5_000 },
    hedge: { afterMs: 5 },
  });
  return { service, asked, ended, ask: (exchange: Exchange) => forward(exchange) };
}
const now = (method = "GET"): Exchange => exchangeOf({ method, startedAtMs: performance.now() });

test("a slow read is asked of a second instance, whose answer is taken, and the first try is ended", async () => {
  const { ask, asked, ended, service } = hedged(["never", 200]);
  const exchange = now();
  assert.equal((await ask(exchange)).status, 200);
  assert.equal(new Set(asked).size, 2);
  assert.deepEqual(ended, [asked[0]]);
  assert.equal(exchange.endpoint?.instance.id, asked[1]);
  assert.equal(service.inFlight, 0);
});

test("a quick answer asks nobody else", async () => {
  const { ask, asked } = hedged([200]);
  await ask(now());
  assert.equal(asked.length, 1);
});

test("a POST is never hedged", async () => {
  const { service } = serviceOf(instancesOf(3));
  const { tryOnce, asked } = scriptTries(service, () => "never");
  const forward = createRetrying(service, tryOnce, { retries: {}, timeouts: { totalMs: 50 }, hedge: { afterMs: 5 } });
  await assert.rejects(forward(now("POST")), { code: "UPSTREAM_TIMEOUT" });
  assert.equal(asked.length, 1);
});

test("a hedge that fails leaves the first try its chance", async () => {
  const { service } = serviceOf(instancesOf(3));
  let answer: ((status: number) => void) | undefined;
  const first = new Promise<number>((resolve) => {
    answer = resolve;
  });
  const { tryOnce, asked } = scriptTries(service, () => broken());
  const forward = createRetrying(
    service,
    async (exchange, endpoint, control) => {
      if (asked.length > 0) {
        answer?.(200);
        return tryOnce(exchange, endpoint, control);
      }
      asked.push(endpoint.instance.id);
      const status = await first;
      service.report(endpoint, { kind: "response", status, latencyMs: 1 });
      return { status, headers: exchange.request.headers.clone(), body: null };
    },
    { retries: { attempts: 0 }, timeouts: {}, hedge: { afterMs: 5 } },
  );
  assert.equal((await forward(now())).status, 200);
  assert.equal(asked.length, 2);
});

test("a lone instance is not asked twice", async () => {
  const { service } = serviceOf(instancesOf(1));
  const { tryOnce, asked } = scriptTries(service, () => "never");
  const forward = createRetrying(service, tryOnce, { retries: {}, timeouts: { totalMs: 50 }, hedge: { afterMs: 5 } });
  await assert.rejects(forward(now()), { code: "UPSTREAM_TIMEOUT" });
  assert.equal(asked.length, 1);
});

test("with a percentile, what counts as slow is learnt from the last tries, and afterMs is the least", () => {
  const delay = new HedgeDelay({ percentile: 90 });
  assert.equal(delay.currentMs, 100);
  for (let i = 1; i <= 320; i++) delay.observe(i % 10 === 0 ? 500 : 20);
  assert.equal(delay.currentMs, 500);
  for (let i = 1; i <= 320; i++) delay.observe(i % 20 === 0 ? 500 : 20);
  assert.equal(delay.currentMs, 20);
  const atLeast = new HedgeDelay({ percentile: 50, afterMs: 40 });
  for (let i = 1; i <= 32; i++) atLeast.observe(1);
  assert.equal(atLeast.currentMs, 40);
  const fixed = new HedgeDelay({ afterMs: 7 });
  for (let i = 1; i <= 64; i++) fixed.observe(1_000);
  assert.equal(fixed.currentMs, 7);
});

import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import type { Service } from "../../src/balancing/service.ts";
import { GatewayError } from "../../src/core/errors.ts";
import type { Exchange } from "../../src/core/exchange.ts";
import { createRetrying, type RetrySettings } from "../../src/forwarding/retry.ts";
import { parseRetryAfter } from "../../src/forwarding/retry-after.ts";
import { exchangeOf, instancesOf, send, serviceOf } from "../support/balancing.ts";
import { broken, refused, type Script, scriptTries } from "../support/scripted-tries.ts";

/** One request through the retry loop. @returns what came of it and who was asked */
async function run(
  scripts: Script[],
  exchange: Exchange = exchangeOf(),
  settings: Partial<RetrySettings> = {},
  service: Service = serviceOf(instancesOf(5)).service,
): Promise<{ result: number | string; asked: string[]; service: Service }> {
  const { tryOnce, asked } = scriptTries(service, (_, n) => scripts[Math.min(n, scripts.length) - 1] as Script);
  const forward = createRetrying(service, tryOnce, { retries: { backoffMs: 1 }, timeouts: {}, ...settings });
  const result = await forward(exchange).then(
    ({ status }) => status,
    (error: unknown) => (error instanceof GatewayError ? error.code : String(error)),
  );
  return { result, asked, service };
}
const post = (): Exchange => exchangeOf({ method: "POST" });

for (const method of ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "QUERY"]) {
  test(`${method} is tried again on another instance when its connection breaks`, async () => {
    const { result, asked } = await run([broken(), 200], exchangeOf({ method }));
    assert.equal(result, 200);
    assert.equal(new Set(asked).size, 2);
  });
}

for (const status of [500, 502, 503, 504]) {
  test(`an idempotent request answered ${status} is tried on another instance`, async () => {
    assert.equal((await run([status, 200])).result, 200);
  });
}

for (const status of [400, 404, 409, 429, 501]) {
  test(`an answer ${status} is the answer`, async () => {
    const { result, asked } = await run([status, 200]);
    assert.equal(result, status);
    assert.equal(asked.length, 1);
  });
}

for (const method of ["POST", "PATCH", "LOCK"]) {
  test(`${method} is never sent twice once a byte may have left`, async () => {
    for (const script of [broken(), 500, 503]) {
      const { asked } = await run([script, 200], exchangeOf({ method }));
      assert.equal(asked.length, 1);
    }
  });
}

test("POST is sent to another instance when the connection was refused: nothing had been sent", async () => {
  const { result, asked } = await run([refused(), 201], post());
  assert.equal(result, 201);
  assert.equal(asked.length, 2);
});

test("a streamed body is sent again only while nobody has read it", async () => {
  const unread = post();
  unread.request.body = Readable.from(["a"]);
  assert.equal((await run([refused(), 201], unread)).result, 201);
  const read = exchangeOf({ method: "PUT" });
  const body = Readable.from(["a", "b"]);
  await body[Symbol.asyncIterator]().next();
  read.request.body = body;
  const { result, asked } = await run([refused(), 200], read);
  assert.equal(result, "UPSTREAM_UNREACHABLE");
  assert.equal(asked.length, 1);
});

test("two further tries are made, then the last failure is told", async () => {
  const { result, asked } = await run([broken(), broken(), refused()]);
  assert.equal(result, "UPSTREAM_UNREACHABLE");
  assert.equal(new Set(asked).size, 3);
});

test("retries: { attempts: 0 } asks once", async () => {
  const { asked } = await run([broken()], exchangeOf(), { retries: { attempts: 0 } });
  assert.equal(asked.length, 1);
});

test("a lone instance that answered 500 is not asked twice; one that broke off is", async () => {
  const alone = (): Service => serviceOf(instancesOf(1)).service;
  assert.deepEqual((await run([500, 200], exchangeOf(), {}, alone())).asked.length, 1);
  assert.equal((await run([broken(), 200], exchangeOf(), {}, alone())).result, 200);
});

test("nobody is asked again for a client that has gone away", async () => {
  const exchange = exchangeOf();
  const { service } = serviceOf(instancesOf(3));
  const { tryOnce, asked } = scriptTries(service, () => {
    exchange.abort();
    return broken();
  });
  await assert.rejects(createRetrying(service, tryOnce, { retries: {}, timeouts: {} })(exchange));
  assert.equal(asked.length, 1);
});

test("retries stay within a fifth of the requests, and three a second: no storm", async () => {
  const { service } = serviceOf(instancesOf(5), { health: { passive: false } });
  for (let i = 0; i < 900; i++) send(service);
  let tries = 0;
  for (let i = 0; i < 100; i++) tries += (await run([500], exchangeOf(), {}, service)).asked.length;
  // 10 s hold 1000 requests: 200 retries by share and 30 that are always free.
  assert.equal(tries, 100 + 200);
  for (let i = 0; i < 100; i++) tries += (await run([500], exchangeOf(), {}, service)).asked.length;
  assert.ok(tries <= 200 + 1_100 * 0.2 + 30 + 1, `${tries} tries`);
});

test("a budget of 0 % leaves three retries a second", async () => {
  const { service, clock } = serviceOf(instancesOf(5), { health: { passive: false } });
  const settings = { retries: { budget: "0%", attempts: 1, backoffMs: 0 } };
  let tries = 0;
  for (let i = 0; i < 50; i++) tries += (await run([500], exchangeOf(), settings, service)).asked.length;
  assert.equal(tries, 50 + 30);
  clock.advance(10_000);
  assert.equal((await run([500], exchangeOf(), settings, service)).asked.length, 2);
});

test("an instance that says Retry-After is left alone so long", async () => {
  const { asked, service } = await run([{ status: 503, headers: { "retry-after": "7" } }, 200]);
  assert.equal(service.describe().find(({ id }) => id === asked[0])?.state, "resting");
});

test("Retry-After is seconds or a date; what is neither is nothing", () => {
  const now = Date.parse("Sun, 06 Nov 1994 08:49:30 GMT");
  const table: [string | undefined, number | undefined][] = [
    ["120", 120_000],
    ["0", 0],
    ["Sun, 06 Nov 1994 08:49:37 GMT", 7_000],
    ["Sun, 06 Nov 1994 08:49:00 GMT", 0],
    ["-1x", undefined],
    ["soon", undefined],
    [undefined, undefined],
  ];
  for (const [value, ms] of table) assert.equal(parseRetryAfter(value, now), ms, value);
});

test("the total time ends the try that is under way, and makes no further one", async () => {
  const exchange = exchangeOf({ startedAtMs: performance.now() });
  const { result, asked } = await run(["never"], exchange, { timeouts: { totalMs: 30 } });
  assert.equal(result, "UPSTREAM_TIMEOUT");
  assert.equal(asked.length, 1);
});

test("the total time counts from the request's arrival", async () => {
  const exchange = exchangeOf({ startedAtMs: performance.now() - 1_000 });
  const { result } = await run([broken(), 200], exchange, { timeouts: { totalMs: 500 } });
  assert.equal(result, "UPSTREAM_ABORTED");
});

test("every pick is reported, whatever happens: nothing stays in flight", async () => {
  const { service } = serviceOf(instancesOf(4));
  for (const scripts of [[200], [500, 502, 200], [broken(), refused(), 200], [refused(), refused(), refused()]])
    await run(scripts, exchangeOf(), {}, service);
  assert.equal(service.inFlight, 0);
  assert.ok(service.describe().every(({ inFlight }) => inFlight === 0));
});

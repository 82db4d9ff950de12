import assert from "node:assert/strict";
import { test } from "node:test";
import type { BalancingOptions } from "../../src/balancing/options.ts";
import type { Service } from "../../src/balancing/service.ts";
import { GatewayError } from "../../src/core/errors.ts";
import type { Endpoint } from "../../src/core/upstream.ts";
import { ANSWERED, exchangeOf, FAILED, instancesOf, send, serviceOf, tally } from "../support/balancing.ts";

const codeOf = (act: () => unknown): string => {
  try {
    act();
    return "none";
  } catch (error) {
    assert.ok(error instanceof GatewayError);
    return error.code;
  }
};
const open = (service: Service): void => {
  for (let i = 0; i < 20; i++) send(service, exchangeOf(), FAILED);
};
const perService: BalancingOptions = { breaker: { per: "service" }, health: { passive: false } };

test("a service whose tries fail by half is left alone, and says for how long", () => {
  const { service } = serviceOf(instancesOf(3), perService);
  for (let i = 0; i < 9; i++) send(service);
  for (let i = 0; i < 10; i++) send(service, exchangeOf(), FAILED);
  assert.equal(
    codeOf(() => send(service)),
    "none",
  );
  send(service, exchangeOf(), FAILED);
  assert.equal(
    codeOf(() => send(service)),
    "CIRCUIT_OPEN",
  );
  try {
    service.pick(exchangeOf(), []);
  } catch (error) {
    assert.deepEqual((error as GatewayError).headers, { "Retry-After": "5" });
  }
});

test("after five seconds three probes are let through at once, and their success closes it", () => {
  const { service, clock } = serviceOf(instancesOf(3), perService);
  open(service);
  clock.advance(5_000);
  const probes = [1, 2, 3].map(() => service.pick(exchangeOf(), []) as Endpoint);
  assert.equal(
    codeOf(() => service.pick(exchangeOf(), [])),
    "CIRCUIT_OPEN",
  );
  for (const probe of probes) service.report(probe, ANSWERED);
  assert.equal(tally(service, 100).size, 3);
});

test("a probe that fails opens it again", () => {
  const { service, clock } = serviceOf(instancesOf(3), perService);
  open(service);
  clock.advance(5_000);
  send(service, exchangeOf(), FAILED);
  assert.equal(
    codeOf(() => send(service)),
    "CIRCUIT_OPEN",
  );
  clock.advance(5_000);
  assert.equal(
    codeOf(() => send(service)),
    "none",
  );
});

test("a probe whose client went away makes room for another", () => {
  const { service, clock } = serviceOf(instancesOf(3), perService);
  open(service);
  clock.advance(5_000);
  for (let i = 0; i < 10; i++) send(service, exchangeOf(), { kind: "cancelled" });
  for (let i = 0; i < 3; i++) send(service);
  assert.equal(tally(service, 100).size, 3);
});

test("failures that are older than the window are forgotten", () => {
  const { service, clock } = serviceOf(instancesOf(3), perService);
  for (let i = 0; i < 19; i++) send(service, exchangeOf(), FAILED);
  clock.advance(11_000);
  for (let i = 0; i < 19; i++) send(service, exchangeOf(), FAILED);
  assert.equal(
    codeOf(() => send(service)),
    "none",
  );
});

test("an instance has a breaker of its own: the others go on, and a few probes bring it back", () => {
  const { service, clock } = serviceOf(instancesOf(3), {
    breaker: { per: "instance", minimumRequests: 10 },
    health: { passive: false },
  });
  for (let i = 0; i < 30; i++) {
    const endpoint = service.pick(exchangeOf(), []) as Endpoint;
    service.report(endpoint, endpoint.instance.id === "a1" ? FAILED : ANSWERED);
  }
  assert.equal(service.describe()[0]?.state, "breaker open");
  assert.ok(!tally(service, 60).has("a1"));
  clock.advance(5_000);
  assert.ok(tally(service, 60).has("a1"));
  assert.equal(service.describe()[0]?.state, "up");
});

test("a fixed limit refuses what is above it, and takes more as soon as one has ended", () => {
  const { service } = serviceOf(instancesOf(2), { concurrency: { limit: 3 } });
  const held = [1, 2, 3].map(() => service.pick(exchangeOf(), []) as Endpoint);
  assert.equal(
    codeOf(() => service.pick(exchangeOf(), [])),
    "UPSTREAM_BUSY",
  );
  service.report(held[0] as Endpoint, ANSWERED);
  assert.equal(
    codeOf(() => service.pick(exchangeOf(), [])),
    "none",
  );
});

test("a full instance is passed over; when all are full, the service is busy", () => {
  const { service } = serviceOf(instancesOf(3), { concurrency: { perInstance: 2 } });
  const held = Array.from({ length: 6 }, () => service.pick(exchangeOf(), []) as Endpoint);
  assert.ok(held.every(({ inFlight }) => inFlight === 2));
  assert.equal(
    codeOf(() => service.pick(exchangeOf(), [])),
    "UPSTREAM_BUSY",
  );
});

test("the adaptive limit grows while latency stands, shrinks when it rises, and recovers", () => {
  const { service } = serviceOf(instancesOf(2), { concurrency: { adaptive: true, limit: 20 } });
  const limit = (): number => {
    const held: Endpoint[] = [];
    try {
      for (;;) held.push(service.pick(exchangeOf(), []) as Endpoint);
    } catch {
      for (const endpoint of held) service.report(endpoint, { kind: "cancelled" });
      return held.length;
    }
  };
  const round = (latencyMs: number, rounds: number): void => {
    for (let i = 0; i < rounds; i++) {
      const held: Endpoint[] = [];
      for (let most = limit(); held.length < most; ) held.push(service.pick(exchangeOf(), []) as Endpoint);
      for (const endpoint of held) service.report(endpoint, { kind: "response", status: 200, latencyMs });
    }
  };
  round(10, 30);
  const grown = limit();
  assert.ok(grown > 25, `${grown} after calm`);
  round(200, 15);
  const shrunk = limit();
  assert.ok(shrunk < grown * 0.8, `${shrunk} after slowness, ${grown} before`);
  round(10, 60);
  assert.ok(limit() > shrunk, `${limit()} after recovery`);
});

test("a service without instances says so, and one with only draining ones says that", () => {
  assert.equal(
    codeOf(() => serviceOf([]).service.pick(exchangeOf(), [])),
    "NO_INSTANCE",
  );
  const { service } = serviceOf(instancesOf(2, { status: "draining" }));
  assert.throws(() => service.pick(exchangeOf(), []), /draining/);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { BalanceOptions } from "../../src/balancing/options.ts";
import type { Endpoint } from "../../src/core/upstream.ts";
import { exchangeOf, instanceOf, instancesOf, send, serviceOf, tally } from "../support/balancing.ts";

for (const policy of ["round-robin", "least-busy"] as const) {
  test(`${policy}: equal instances share within one request`, () => {
    const { service } = serviceOf(instancesOf(7), { balance: { policy } });
    for (const count of tally(service, 7_003).values()) assert.ok(Math.abs(count - 7_003 / 7) <= 1);
  });

  test(`${policy}: any weights are kept within two per cent of all requests`, () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 30 }), (weights) => {
        const { service } = serviceOf(
          weights.map((weight, i) => instanceOf(`i${i}`, { weight })),
          { balance: { policy } },
        );
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const counts = tally(service, 1_000);
        weights.forEach((weight, i) => {
          const off = Math.abs((counts.get(`i${i}`) ?? 0) - (1_000 * weight) / total);
          assert.ok(off <= 2, `weight ${weight} of ${total} is off by ${off} of 1000`);
        });
      }),
      { numRuns: 50 },
    );
  });
}

test("a heavy instance gets its share smoothly, never a burst", () => {
  const { service } = serviceOf([instanceOf("heavy", { weight: 5 }), instanceOf("b"), instanceOf("c")], {
    balance: { policy: "round-robin" },
  });
  const order = Array.from({ length: 700 }, () => send(service));
  const longest =
    order
      .join(" ")
      .match(/(heavy ?)+/g)
      ?.map((run) => run.trim().split(" ").length) ?? [];
  assert.ok(Math.max(...longest) <= 5, `a run of ${Math.max(...longest)}`);
  assert.ok(order.slice(0, 14).includes("b") && order.slice(0, 14).includes("c"));
});

for (const policy of ["random", "peak-ewma"] as const) {
  test(`${policy}: weights are kept within two per cent of all requests`, () => {
    const weights = [1, 2, 3, 10];
    const { service } = serviceOf(
      weights.map((weight) => instanceOf(`w${weight}`, { weight })),
      { balance: { policy } as BalanceOptions },
    );
    const counts = tally(service, 50_000);
    // Peak-EWMA weighs latency too: with equal ones it leans to the heavy, so only chance is held to the number.
    if (policy === "random")
      for (const weight of weights) {
        const share = (counts.get(`w${weight}`) ?? 0) / 50_000;
        assert.ok(Math.abs(share - weight / 16) < 0.02, `weight ${weight} has ${share}`);
      }
    else assert.ok((counts.get("w10") ?? 0) > (counts.get("w1") ?? 0));
  });
}

test("an instance of weight 0, draining or down takes nothing", () => {
  const { service } = serviceOf([
    instanceOf("up"),
    instanceOf("zero", { weight: 0 }),
    instanceOf("draining", { status: "draining" }),
    instanceOf("down", { status: "down" }),
  ]);
  assert.deepEqual([...tally(service, 100).keys()], ["up"]);
});

test("draining takes an instance out at once while its requests end in peace", () => {
  const { service } = serviceOf(instancesOf(2));
  const first = service.pick(exchangeOf(), []);
  assert.ok(first);
  service.update(instancesOf(2).map((i) => (i.id === first.instance.id ? { ...i, status: "draining" } : i)));
  assert.ok(!tally(service, 50).has(first.instance.id));
  assert.equal(first.inFlight, 1);
  service.report(first, { kind: "response", status: 200, latencyMs: 5 });
  assert.equal(service.inFlight, 0);
});

test("a retry is given another instance while there is one, whatever the policy", () => {
  for (const policy of ["least-busy", "round-robin", "random", "peak-ewma", "hash", "sticky"] as const) {
    const { service } = serviceOf(instancesOf(5), { balance: { policy } });
    const tried: Endpoint[] = [];
    for (let i = 0; i < 5; i++) tried.push(service.pick(exchangeOf(), tried) as Endpoint);
    assert.equal(new Set(tried).size, 5, policy);
    assert.equal(service.pick(exchangeOf(), tried), undefined, policy);
  }
});

test("an address that is none is passed over, and the others serve", () => {
  const { service } = serviceOf([
    instanceOf("bad", { url: "nonsense" }),
    instanceOf("ftp", { url: "ftp://a.test" }),
    instanceOf("good", { url: "http://[::1]:9000/base/" }),
  ]);
  assert.deepEqual([...tally(service, 10).keys()], ["good"]);
  const endpoint = service.pick(exchangeOf(), []);
  assert.equal(endpoint?.origin, "http://[::1]:9000");
  assert.equal(endpoint?.basePath, "/base");
});

test("an instance that comes back at another address is a new one; one that is named twice counts twice", () => {
  const { service } = serviceOf([instanceOf("a"), instanceOf("b")]);
  const first = service.pick(exchangeOf(), []);
  service.update([instanceOf("a", { url: "http://elsewhere.test:9000" }), instanceOf("b"), instanceOf("b")]);
  assert.equal(service.describe().length, 3);
  assert.deepEqual(
    service.describe().map(({ url }) => url),
    ["http://elsewhere.test:9000", "http://b.test:9000", "http://b.test:9000"],
  );
  service.report(first as Endpoint, { kind: "response", status: 200, latencyMs: 1 });
  service.update([]);
  assert.throws(() => service.pick(exchangeOf(), []), { code: "NO_INSTANCE" });
});

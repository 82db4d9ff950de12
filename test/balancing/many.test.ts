import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "../../src/balancing/service.ts";
import type { Endpoint, Instance } from "../../src/core/upstream.ts";
import { exchangeOf, instanceOf, instancesOf, serviceOf } from "../support/balancing.ts";
import { eventually } from "../support/eventually.ts";

const COUNT = 6_000;
const POLICIES = ["least-busy", "round-robin", "random", "peak-ewma", "sticky", "hash"] as const;

function pickOne(service: Service): string {
  const endpoint = service.pick(exchangeOf(), []) as Endpoint;
  service.report(endpoint, { kind: "response", status: 200, latencyMs: 1 });
  return endpoint.instance.id;
}

for (const policy of POLICIES) {
  test(`${policy}: thousands are taken over beside the traffic, while those that were there serve`, async () => {
    const { service } = serviceOf([instanceOf("before")], { balance: { policy } });
    assert.equal(pickOne(service), "before");
    service.update([instanceOf("before"), ...instancesOf(COUNT)]);
    assert.equal(pickOne(service), "before", "nothing waits for the long list");
    await eventually("newcomers are asked", () => pickOne(service) !== "before");
    assert.equal(service.describe().length, COUNT + 1);
  });

  test(`${policy}: of thousands, one that drains or leaves gets no new work from the moment it is known`, async () => {
    const instances = instancesOf(COUNT);
    const { service } = serviceOf(instances, { balance: { policy } });
    const fated = new Set(Array.from({ length: 20 }, () => pickOne(service)));
    const rest = instances.filter(({ id }) => !fated.has(id));
    const draining = instances.map((each): Instance => (fated.has(each.id) ? { ...each, status: "draining" } : each));
    for (const list of [draining, rest]) {
      service.update(list);
      service.describe();
      for (let i = 0; i < 2_000; i++) assert.ok(!fated.has(pickOne(service)));
    }
  });
}

test("where nobody can be chosen yet, the first request has the long list taken over at once", () => {
  const { service } = serviceOf(instancesOf(COUNT));
  assert.match(pickOne(service), /^a\d+$/);
});

test("the last of many long lists that come at once is the one that stands", async () => {
  const { service } = serviceOf([instanceOf("before")]);
  for (const count of [COUNT, 10, COUNT + 5, COUNT + 7]) service.update(instancesOf(count));
  await eventually("the last list", () => pickOne(service) !== "before" && service.describe().length === COUNT + 7);
  service.update([instanceOf("after")]);
  assert.equal(service.describe().length, 1);
  assert.equal(pickOne(service), "after");
});

test("a service of thousands that is closed does nothing more", async () => {
  const { service } = serviceOf([instanceOf("before")]);
  service.update(instancesOf(COUNT));
  service.close();
  for (let i = 0; i < 20; i++) await new Promise(setImmediate);
  assert.equal(pickOne(service), "before");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "../../src/balancing/service.ts";
import { exchangeOf, FAILED, instanceOf, instancesOf, send, serviceOf, tally } from "../support/balancing.ts";

const share = (service: Service, ids: RegExp, requests = 2_000): number =>
  [...tally(service, requests)].reduce((sum, [id, count]) => (ids.test(id) ? sum + count : sum), 0) / requests;
const inZone = (zone: string, ...ids: string[]) => ids.map((id) => instanceOf(id, { zone }));
const eject = (service: Service, id: string): void => {
  for (let failures = 0; failures < 5; ) {
    const endpoint = service.pick(exchangeOf(), []);
    if (endpoint === undefined) return;
    const isIt = endpoint.instance.id === id;
    if (isIt) failures++;
    service.report(endpoint, isIt ? FAILED : { kind: "response", status: 200, latencyMs: 1 });
  }
};

test("instances of the gateway's own zone get everything while enough of them are well", () => {
  const { service } = serviceOf([...inZone("eu-1", "n1", "n2", "n3", "n4"), ...inZone("eu-2", "f1", "f2")], {
    zone: "eu-1",
  });
  assert.equal(share(service, /^n/), 1);
  eject(service, "n1");
  assert.equal(share(service, /^n/), 1);
});

test("what the own zone cannot take spills over by Envoy's factor of 1.4", () => {
  const { service } = serviceOf([...inZone("eu-1", "n1", "n2", "n3", "n4"), ...inZone("eu-2", "f1", "f2", "f3")], {
    zone: "eu-1",
  });
  eject(service, "n1");
  eject(service, "n2");
  const near = share(service, /^n/, 10_000);
  assert.ok(Math.abs(near - 0.7) < 0.03, `${near} stays near`);
});

test("an own zone that is empty or gone leaves everything to the others", () => {
  const { service } = serviceOf(inZone("eu-2", "f1", "f2"), { zone: "eu-1" });
  assert.equal(share(service, /^f/), 1);
});

test("a retry leaves the zone when the zone has been tried", () => {
  const { service } = serviceOf([...inZone("eu-1", "n1"), ...inZone("eu-2", "f1")], { zone: "eu-1" });
  const first = service.pick(exchangeOf(), []);
  assert.equal(first?.instance.id, "n1");
  assert.equal(service.pick(exchangeOf(), [first])?.instance.id, "f1");
});

const canary = {
  versions: [{ version: "2", header: { "X-Canary": "yes" }, percent: "10%" }],
};
const twoVersions = [...instancesOf(3, { version: "1" }), instanceOf("new", { version: "2" })];

test("a header leads to a version, and its share of the other requests, though all seem to come from one address", () => {
  const { service } = serviceOf(twoVersions, canary);
  assert.equal(send(service, exchangeOf({ headers: { "x-canary": "yes" } })), "new");
  const onNew = share(service, /^new$/, 20_000);
  assert.ok(Math.abs(onNew - 0.1) < 0.02, `${onNew}`);
});

for (const [what, options, callerOf] of [
  ["a consumer", {}, (i: number) => Object.assign(exchangeOf(), { consumer: { name: `consumer-${i}` } })],
  ["by: address, an address", { by: "address" }, (i: number) => exchangeOf({ address: `10.0.${i >> 8}.${i & 255}` })],
] as const) {
  test(`${what} gets the same version each time, and a share of them the new one`, () => {
    const { service } = serviceOf(twoVersions, { versions: [{ version: "2", percent: "10%", ...options }] });
    const callers = Array.from({ length: 5_000 }, (_, i) => callerOf(i));
    const onNew = callers.filter((caller) => send(service, caller) === "new");
    assert.ok(Math.abs(onNew.length / 5_000 - 0.1) < 0.02, `${onNew.length} of 5000`);
    assert.ok(onNew.every((caller) => send(service, caller) === "new"));
  });
}

test("the shares of several versions add up, however each is taken", () => {
  const { service } = serviceOf([...twoVersions, instanceOf("newer", { version: "3" })], {
    versions: [
      { version: "2", percent: "20%" },
      { version: "3", percent: "30%" },
    ],
  });
  const counts = tally(service, 20_000);
  assert.ok(Math.abs((counts.get("new") ?? 0) / 20_000 - 0.2) < 0.02);
  assert.ok(Math.abs((counts.get("newer") ?? 0) / 20_000 - 0.3) < 0.02);
});

test("a version without instances does not fail its requests", () => {
  const { service } = serviceOf(instancesOf(2, { version: "1" }), canary);
  assert.match(send(service, exchangeOf({ headers: { "x-canary": "yes" } })), /^a/);
});

test("when only the version of a rule is left, everybody gets it", () => {
  const { service } = serviceOf([instanceOf("new", { version: "2" })], canary);
  assert.equal(send(service), "new");
});

test("a newcomer starts with a tenth of its share and grows to the whole of it", () => {
  const { service, clock } = serviceOf(instancesOf(3), {
    balance: { policy: "round-robin" },
    slowStart: { windowMs: 10_000 },
  });
  service.update(instancesOf(4));
  const early = share(service, /a4/);
  assert.ok(early < 0.06, `${early} at the start`);
  clock.advance(5_000);
  const middle = share(service, /a4/);
  assert.ok(middle > 0.1 && middle < 0.18, `${middle} half way`);
  clock.advance(5_000);
  assert.ok(Math.abs(share(service, /a4/) - 0.25) < 0.01);
});

test("those that were there from the beginning do not start slowly", () => {
  const { service } = serviceOf([instanceOf("a"), instanceOf("b", { weight: 3 })], { slowStart: {} });
  assert.deepEqual(
    service.describe().map(({ weight }) => weight),
    [1, 3],
  );
});

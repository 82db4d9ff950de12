import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "../../src/balancing/service.ts";
import type { Endpoint, Outcome } from "../../src/core/upstream.ts";
import { ANSWERED, exchangeOf, FAILED, instancesOf, serviceOf, tally } from "../support/balancing.ts";

/** Requests, each answered as `outcomeOf` says of its instance. */
function run(service: Service, requests: number, outcomeOf: (id: string) => Outcome): void {
  for (let i = 0; i < requests; i++) {
    const endpoint = service.pick(exchangeOf(), []) as Endpoint;
    service.report(endpoint, outcomeOf(endpoint.instance.id));
  }
}
const failing =
  (...ids: string[]) =>
  (id: string): Outcome =>
    ids.includes(id) ? FAILED : ANSWERED;
const stateOf = (service: Service, id: string): string =>
  service.describe().find((each) => each.id === id)?.state as string;

test("five failures in a row put an instance out for 30 s; four do not", () => {
  const { service, clock } = serviceOf(instancesOf(4));
  run(service, 16, failing("a2"));
  assert.equal(stateOf(service, "a2"), "up");
  run(service, 8, failing("a2"));
  assert.equal(stateOf(service, "a2"), "ejected");
  assert.ok(!tally(service, 100).has("a2"));
  clock.advance(29_999);
  assert.ok(!tally(service, 100).has("a2"));
  clock.advance(1);
  assert.ok(tally(service, 100).has("a2"));
});

test("the second ejection takes twice as long, and quiet intervals are forgiven", () => {
  const { service, clock } = serviceOf(instancesOf(4));
  const eject = (): void => run(service, 24, failing("a1"));
  eject();
  clock.advance(30_000);
  eject();
  clock.advance(59_999);
  assert.equal(stateOf(service, "a1"), "ejected");
  clock.advance(1);
  assert.equal(stateOf(service, "a1"), "up");
  clock.advance(60_000);
  eject();
  clock.advance(30_000);
  assert.equal(stateOf(service, "a1"), "up");
});

test("at most half are ever out", () => {
  const { service } = serviceOf(instancesOf(6));
  run(service, 1_000, () => FAILED);
  assert.equal(service.describe().filter(({ state }) => state === "ejected").length, 3);
});

test("a lone instance is never put out", () => {
  const { service } = serviceOf(instancesOf(1));
  run(service, 20, () => FAILED);
  assert.equal(stateOf(service, "a1"), "up");
});

test("an instance whose success rate falls 1.9 deviations below the others' goes, though it never fails five times in a row", () => {
  const { service, clock } = serviceOf(instancesOf(10), { balance: { policy: "round-robin" } });
  let turn = 0;
  run(service, 2_000, (id) => (id === "a7" && turn++ % 3 === 0 ? FAILED : ANSWERED));
  assert.equal(stateOf(service, "a7"), "up");
  clock.advance(10_000);
  assert.equal(stateOf(service, "a7"), "ejected");
  assert.equal(service.describe().filter(({ state }) => state === "ejected").length, 1);
});

test("success rates are not judged of too few requests or too few instances", () => {
  for (const [hosts, requests] of [
    [10, 500],
    [4, 2_000],
  ] as const) {
    const { service, clock } = serviceOf(instancesOf(hosts), { balance: { policy: "round-robin" } });
    let turn = 0;
    run(service, requests, (id) => (id === "a1" && turn++ % 3 === 0 ? FAILED : ANSWERED));
    clock.advance(10_000);
    assert.equal(stateOf(service, "a1"), "up");
  }
});

test("below half healthy, health is not believed: all that accept connections are used", () => {
  const { service } = serviceOf(instancesOf(4), { health: { passive: { maxEjected: "100%" } } });
  run(service, 60, failing("a1", "a2"));
  assert.equal(tally(service, 100).size, 2);
  for (let i = 0; i < 5; i++) run(service, 10, failing("a3"));
  assert.equal(stateOf(service, "a3"), "ejected");
  assert.equal(tally(service, 100).size, 4);
});

test("one refused connection puts an instance out, however many others are, and panic does not bring it back", () => {
  const { service } = serviceOf(instancesOf(5));
  const refused = (...ids: string[]): void =>
    run(service, 30, (id) => (ids.includes(id) ? { kind: "connect-failed" } : ANSWERED));
  refused("a1", "a2", "a3", "a4");
  assert.deepEqual([...tally(service, 50).keys()], ["a5"]);
});

test("when nobody accepts connections all are tried", () => {
  const { service } = serviceOf(instancesOf(3));
  const asked = new Set<string>();
  run(service, 30, (id) => {
    asked.add(id);
    return { kind: "connect-failed" };
  });
  assert.equal(asked.size, 3);
  assert.ok(service.describe().every(({ state }) => state === "unreachable"));
});

test("an instance that opens its port again is back as soon as it is knocked at, not after 30 s", async () => {
  let isOpen = false;
  const prober = { canConnect: async () => isOpen, statusOf: async () => 0 };
  const { service, clock } = serviceOf(instancesOf(2), {}, { prober });
  run(service, 2, (id) => (id === "a1" ? { kind: "connect-failed" } : ANSWERED));
  assert.equal(stateOf(service, "a1"), "unreachable");
  const knock = async (): Promise<void> => {
    clock.advance(1_000);
    for (let i = 0; i < 5; i++) await Promise.resolve();
  };
  await knock();
  assert.equal(stateOf(service, "a1"), "unreachable");
  isOpen = true;
  await knock();
  assert.equal(stateOf(service, "a1"), "up");
});

test("an instance that the registry keeps without hearing of it is used only once it is found alive", async () => {
  const prober = { canConnect: async (member: { instance: { id: string } }) => member.instance.id !== "a2" };
  const { service, clock } = serviceOf(instancesOf(3), {}, { prober: { ...prober, statusOf: async () => 0 } });
  service.update(instancesOf(3).map((each) => (each.id === "a3" ? each : { ...each, unconfirmed: true })));
  assert.deepEqual([...tally(service, 30).keys()], ["a3"]);
  clock.advance(1);
  for (let i = 0; i < 5; i++) await Promise.resolve();
  assert.deepEqual([...tally(service, 30).keys()].sort(), ["a1", "a3"]);
});

test("a port that opens again ends an ejection: it is a new process", async () => {
  let isOpen = false;
  const prober = { canConnect: async () => isOpen, statusOf: async () => 0 };
  const { service, clock } = serviceOf(instancesOf(3), {}, { prober });
  run(service, 15, (id) => (id === "a1" ? { kind: "reset" } : ANSWERED));
  assert.equal(stateOf(service, "a1"), "ejected");
  const settle = async (): Promise<void> => {
    clock.advance(500);
    for (let i = 0; i < 5; i++) await Promise.resolve();
  };
  await settle();
  assert.equal(stateOf(service, "a1"), "unreachable");
  isOpen = true;
  await settle();
  assert.equal(stateOf(service, "a1"), "up");
});

test("an instance that asks for rest by Retry-After gets it, and comes back", () => {
  const { service, clock } = serviceOf(instancesOf(3));
  const endpoint = service.pick(exchangeOf(), []) as Endpoint;
  service.report(endpoint, FAILED);
  service.rest(endpoint, 2_000);
  assert.ok(!tally(service, 30).has(endpoint.instance.id));
  clock.advance(2_000);
  assert.ok(tally(service, 30).has(endpoint.instance.id));
});

test("what was seen of an instance survives an update from discovery", () => {
  const { service } = serviceOf(instancesOf(4));
  run(service, 24, failing("a2"));
  service.update(instancesOf(5));
  assert.ok(!tally(service, 100).has("a2"));
});

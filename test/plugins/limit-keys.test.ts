import assert from "node:assert/strict";
import { test } from "node:test";
import concurrency from "../../plugins/concurrency.ts";
import { networkOf } from "../../plugins/limiting/caller-key.ts";
import quota from "../../plugins/quota.ts";
import rateLimit from "../../plugins/rate-limit.ts";
import { type TestRequest, testPlugin } from "../../src/testing.ts";

const statuses = async (by: string | string[], requests: readonly TestRequest[]): Promise<number[]> => {
  const { send } = await testPlugin(rateLimit, { rate: "1/day", by });
  const found: number[] = [];
  for (const request of requests) found.push((await send(request)).response.status);
  return found;
};
const consumer = (name: string, claims: Record<string, unknown> = {}) => ({ name, claims });

test("an IPv6 caller is its /64: another address of it is nobody new, the next network is", async () => {
  const from = (address: string) => ({ address });
  assert.deepEqual(
    await statuses("address", [
      from("2001:db8:1:2::1"),
      from("2001:db8:1:2:ffff:ffff:ffff:ffff"),
      from("2001:DB8:0001:0002::9"),
      from("2001:db8:1:3::1"),
      from("::ffff:192.0.2.7"),
      from("192.0.2.7"),
      from("192.0.2.8"),
    ]),
    [200, 429, 429, 200, 200, 429, 200],
  );
});

for (const [address, network] of [
  ["2001:db8::1", "2001:db8:0:0"],
  ["2001:db8:0:0:1::", "2001:db8:0:0"],
  ["::1", "0:0:0:0"],
  ["::", "0:0:0:0"],
  ["64:ff9b::192.0.2.1", "64:ff9b:0:0"],
  ["::FFFF:10.0.0.1", "10.0.0.1"],
  ["10.0.0.1", "10.0.0.1"],
] as const) {
  test(`the network of ${address} is ${network}`, () => assert.equal(networkOf(address), network));
}

test("a limit may be by several things together", async () => {
  const ask = (name: string, team: string) => ({ consumer: consumer(name), headers: { "X-Team": team } });
  assert.deepEqual(
    await statuses(["consumer", "header:x-team"], [ask("ada", "a"), ask("ada", "b"), ask("bob", "a"), ask("ada", "a")]),
    [200, 200, 200, 429],
  );
});

test("a limit may be by query, cookie and operation", async () => {
  const to = (target: string) => ({ target });
  assert.deepEqual(await statuses("query:team", [to("/?team=a"), to("/?team=b"), to("/?x=1&team=a")]), [200, 200, 429]);
  const eats = (Cookie: string) => ({ headers: { Cookie } });
  assert.deepEqual(
    await statuses("cookie:team", [eats("x=1; team=a"), eats("team=b"), eats("team=a; y=2")]),
    [200, 200, 429],
  );
  assert.deepEqual(await statuses("operation", [{ address: "192.0.2.1" }, { address: "192.0.2.2" }]), [200, 429]);
});

test("a limit may be by any expression; where it finds nothing, by address", async () => {
  const org = (id: string) => ({ consumer: consumer(`one of ${id}`, { org: { id } }) });
  const by = "expression:consumer.claims.org.id";
  assert.deepEqual(await statuses(by, [org("acme"), org("acme"), org("other")]), [200, 429, 200]);
  assert.deepEqual(
    await statuses(by, [{ address: "192.0.2.1" }, { address: "192.0.2.1" }, { address: "192.0.2.2" }]),
    [200, 429, 200],
  );
  const tier = 'expression:"gold" in consumer.groups ? consumer.name : "everybody else"';
  const member = (name: string, ...groups: string[]) => ({ consumer: { name, groups } });
  assert.deepEqual(
    await statuses(tier, [member("a", "gold"), member("b", "gold"), member("c"), member("d")]),
    [200, 200, 200, 429],
  );
});

test("what a limit cannot be by is refused when it is read", async () => {
  for (const by of ["nothing", "header:", "expression:", "expression:consumer.name ==", "expression:nobody.name"]) {
    await assert.rejects(testPlugin(rateLimit, { rate: "1/s", by }), /write consumer|by /, by);
  }
  await assert.rejects(testPlugin(quota, { limit: 1, by: "nothing" }), /write consumer/);
  await assert.rejects(testPlugin(concurrency, { max: 1, by: "nothing" }), /write consumer/);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { HashTableKeeper } from "../../src/balancing/maglev-table.ts";
import { Member } from "../../src/balancing/member.ts";
import type { Endpoint } from "../../src/core/upstream.ts";
import { exchangeOf, instancesOf, send, serviceOf } from "../support/balancing.ts";
import { eventually } from "../support/eventually.ts";

const COUNT = 1_000;
const KEYS = Array.from({ length: 1_000 }, (_, i) => `user-${i}`);
const byUser = { balance: { policy: "hash", hash: { header: "x-user" } } } as const;
const members = (count: number): Member[] => instancesOf(count).map((instance) => new Member("things", instance));
const isLarge = (keeper: HashTableKeeper): boolean => keeper.current.slots.length > 50 * COUNT;

test("a table of thousands is built in slices while another serves, and is the same on every gateway", async () => {
  const all = members(COUNT);
  const [one, other] = [new HashTableKeeper(), new HashTableKeeper()];
  one.tableFor(all);
  other.tableFor([...all].reverse());
  assert.equal(one.current.slots.length, COUNT, "a ring serves at once");
  await eventually("both tables are ready", () => isLarge(one) && isLarge(other));
  assert.deepEqual(one.current.slots, other.current.slots);
  const counts = new Uint32Array(COUNT);
  for (const slot of one.current.slots) counts[slot] = (counts[slot] as number) + 1;
  const fair = one.current.slots.length / COUNT;
  assert.ok(counts.every((count) => Math.abs(count / fair - 1) < 0.02));
});

test("what changes while a table is being built is in the next one", async () => {
  const all = members(COUNT + 2);
  const keeper = new HashTableKeeper();
  for (const count of [COUNT, COUNT + 1, COUNT + 2]) keeper.tableFor(all.slice(0, count));
  await eventually("the last one's table", () => isLarge(keeper) && keeper.current.members.length === COUNT + 2);
  keeper.tableFor(all.slice(0, 3));
  assert.equal(keeper.current.members.length, 3, "a small one is built at once");
});

test("keys of thousands of instances stay where they are, and no key goes to one that left, before the new table is ready", () => {
  const { service } = serviceOf(instancesOf(COUNT), byUser);
  const ask = (key: string): string => send(service, exchangeOf({ headers: { "X-User": key } }));
  const before = new Map(KEYS.map((key) => [key, ask(key)]));
  const gone = new Set([...before.values()].slice(0, 50));
  service.update(instancesOf(COUNT).filter(({ id }) => !gone.has(id)));
  for (const [key, id] of before) {
    const now = ask(key);
    assert.ok(gone.has(id) ? !gone.has(now) : now === id, `${key} went from ${id} to ${now}`);
  }
});

test("an update that names the same instances again changes nothing", () => {
  const instances = instancesOf(COUNT);
  const { service } = serviceOf(instances, { balance: { policy: "round-robin" } });
  const picks = Array.from({ length: 10 }, () => service.pick(exchangeOf(), []) as Endpoint);
  service.update([...instances]);
  const next = service.pick(exchangeOf(), []) as Endpoint;
  // A rotation that is built anew starts anywhere.
  const order = new Map(instances.map(({ id }, i) => [id, i]));
  const place = (endpoint: Endpoint | undefined): number => order.get(endpoint?.instance.id ?? "") ?? -1;
  assert.equal(place(next), (place(picks.at(-1)) + 1) % COUNT);
});

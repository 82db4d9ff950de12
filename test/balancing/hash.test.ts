import assert from "node:assert/strict";
import { test } from "node:test";
import type { HashOptions } from "../../src/balancing/options.ts";
import type { Service } from "../../src/balancing/service.ts";
import type { Endpoint } from "../../src/core/upstream.ts";
import { exchangeOf, FAILED, instanceOf, instancesOf, send, serviceOf } from "../support/balancing.ts";

const KEYS = Array.from({ length: 2_000 }, (_, i) => `user-${i}`);
const byUser = { balance: { policy: "hash", hash: { header: "x-user" } } } as const;
const ask = (service: Service, user: string): string => send(service, exchangeOf({ headers: { "X-User": user } }));
const place = (service: Service): Map<string, string> => new Map(KEYS.map((key) => [key, ask(service, key)]));

test("a key goes to the same instance every time, and on every gateway, in whatever order it learnt of them", () => {
  const one = place(serviceOf(instancesOf(10), byUser).service);
  const other = place(serviceOf(instancesOf(10).reverse(), byUser).service);
  assert.deepEqual(one, other);
});

test("keys spread evenly, and by weight", () => {
  const { service } = serviceOf([...instancesOf(4), instanceOf("heavy", { weight: 4 })], byUser);
  const counts = new Map<string, number>();
  for (const id of place(service).values()) counts.set(id, (counts.get(id) ?? 0) + 1);
  assert.ok(Math.abs((counts.get("heavy") ?? 0) / KEYS.length - 0.5) < 0.05);
  for (const { id } of instancesOf(4)) assert.ok(Math.abs((counts.get(id) ?? 0) / KEYS.length - 0.125) < 0.04);
});

test("an instance that leaves or joins moves few keys beside its own", () => {
  const { service } = serviceOf(instancesOf(10), byUser);
  const before = place(service);
  service.update(instancesOf(9));
  const after = place(service);
  const moved = KEYS.filter((key) => before.get(key) !== after.get(key));
  const own = KEYS.filter((key) => before.get(key) === "a10");
  assert.ok(own.every((key) => moved.includes(key)));
  assert.ok(moved.length - own.length < KEYS.length * 0.05, `${moved.length - own.length} others moved`);
  service.update(instancesOf(10));
  assert.deepEqual(place(service), before);
});

test("an ejected instance's keys go on to many others, nobody else's move, and they come back", () => {
  const { service, clock } = serviceOf(instancesOf(10), byUser);
  const before = place(service);
  const key = KEYS.find((each) => before.get(each) === "a3") as string;
  for (let i = 0; i < 5; i++) send(service, exchangeOf({ headers: { "x-user": key } }), FAILED);
  const during = place(service);
  const heirs = new Set(KEYS.filter((each) => before.get(each) === "a3").map((each) => during.get(each)));
  assert.ok(!heirs.has("a3") && heirs.size > 4, `${heirs.size} heirs`);
  assert.ok(KEYS.every((each) => before.get(each) === "a3" || before.get(each) === during.get(each)));
  clock.advance(30_000);
  assert.deepEqual(place(service), before);
});

test("load is bounded: a key that everybody wants goes on to others once its instance is busy", () => {
  const { service } = serviceOf(instancesOf(10), byUser);
  const held: Endpoint[] = [];
  for (let i = 0; i < 200; i++) held.push(service.pick(exchangeOf({ headers: { "x-user": "hot" } }), []) as Endpoint);
  const busiest = Math.max(...held.map(({ inFlight }) => inFlight));
  assert.ok(busiest <= Math.ceil(1.25 * 20) + 1, `${busiest} of 200 on one of ten`);
});

const places: [string, HashOptions, (key: string) => ReturnType<typeof exchangeOf>][] = [
  ["a cookie", { cookie: "session" }, (key) => exchangeOf({ headers: { cookie: `a=b; session=${key}` } })],
  ["a query parameter", { query: "user" }, (key) => exchangeOf({ query: `x=1&user=${key}` })],
  ["a path parameter", { path: "id" }, (key) => Object.assign(exchangeOf(), { pathParameters: { id: key } })],
  ["the consumer", { by: "consumer" }, (key) => Object.assign(exchangeOf(), { consumer: { name: key } })],
  ["the address", { by: "address" }, (key) => exchangeOf({ address: key })],
  ["the path", { by: "path" }, (key) => exchangeOf({ path: `/things/${key}` })],
];
for (const [name, hash, make] of places) {
  test(`the key may be ${name}`, () => {
    const { service } = serviceOf(instancesOf(10), { balance: { policy: "hash", hash } });
    const ids = KEYS.slice(0, 100).map((key) => send(service, make(key)));
    assert.deepEqual(
      KEYS.slice(0, 100).map((key) => send(service, make(key))),
      ids,
    );
    assert.ok(new Set(ids).size > 5);
  });
}

test("without its key a request goes anywhere", () => {
  const { service } = serviceOf(instancesOf(10), byUser);
  assert.ok(new Set(Array.from({ length: 100 }, () => send(service))).size > 5);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { redisMissing, startRedisServer } from "../support/redis-server.ts";
import { ADMIN_TOKEN, type GatewayProcess, startGatewayProcesses, warm } from "../support/shared-cache.ts";

const needsRedis = { skip: process.env.CI === undefined ? redisMissing() : undefined };

const purge = ({ admin }: GatewayProcess, what: object, token: string | undefined = ADMIN_TOKEN): Promise<Response> =>
  fetch(`${admin}/v1/cache/purge`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...(token === "" ? {} : { Authorization: `Bearer ${token}` }) },
    body: JSON.stringify(what),
  });

/** Looks without asking the upstream, as a miss would store the answer again. */
const isForgotten = async (gateway: GatewayProcess, path: string): Promise<boolean> =>
  (await gateway.get(path, { "Cache-Control": "only-if-cached" })).status === 504;

const PURGES = [
  [{ key: "/orders/1" }, "/orders/1"],
  [{ prefix: "/orders/2" }, "/orders/2"],
  [{ operation: "listOrders" }, "/orders"],
  [{ tag: "orders" }, "/orders/3"],
  [{ all: true }, "/orders/4"],
] as const;

for (const [name, options, storeOf] of [
  ["two processes that share the disk", {}, async () => (folder: string) => ({ disk: `${folder}/data` })],
  [
    "two machines that share a Redis",
    needsRedis,
    async (t: Parameters<typeof startRedisServer>[0]) => {
      const redis = await startRedisServer(t);
      return () => ({ redis: redis.url });
    },
  ],
] as const) {
  test(`every purge in one reaches the other: ${name}`, options, async (t) => {
    const store = await storeOf(t);
    const [one, two] = (await startGatewayProcesses(t, 2, store)) as [GatewayProcess, GatewayProcess];
    for (const [what, path] of PURGES) {
      await warm([one, two], path);
      assert.ok(!(await isForgotten(two, path)));
      assert.equal((await purge(one, what)).status, 200);
      assert.ok(await isForgotten(one, path), `here at once: ${JSON.stringify(what)}`);
      await eventually(`there: ${JSON.stringify(what)}`, () => isForgotten(two, path));
    }
  });
}

test("a purge without the token, or with a wrong one, is refused and forgets nothing", async (t) => {
  const [gateway] = (await startGatewayProcesses(t, 1, () => ({}))) as [GatewayProcess];
  await warm([gateway], "/orders");
  for (const token of ["", "wrong", `${ADMIN_TOKEN} `.repeat(2)]) {
    const { status, headers } = await purge(gateway, { all: true }, token);
    assert.deepEqual([status, headers.get("www-authenticate")], [401, "Bearer"], token);
  }
  assert.ok(await gateway.isHit("/orders"));
});

test("/metrics of a running gateway counts what its cache did, by operation", async (t) => {
  const [gateway] = (await startGatewayProcesses(t, 1, () => ({ memoryEntries: 1 }))) as [GatewayProcess];
  for (const path of ["/orders/1", "/orders/1", "/orders"]) await gateway.isHit(path);
  const text = await (await fetch(`${gateway.admin}/metrics`)).text();
  for (const [operation, event, count] of [
    ["GET /orders/{id}", "miss", 1],
    ["GET /orders/{id}", "stored", 1],
    ["GET /orders/{id}", "hit", 1],
    ["GET /orders/{id}", "evicted", 1],
    ["GET /orders", "miss", 1],
  ] as const) {
    const sample = `portico_cache_events_total{operation="${operation}",event="${event}"} ${count}\n`;
    assert.ok(text.includes(sample), `${sample} in\n${text}`);
  }
  assert.ok(text.includes('portico_cache_bytes_total{operation="GET /orders/{id}",event="hit"} 4\n'));
});

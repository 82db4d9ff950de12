import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Redis } from "ioredis";
import { answering, startCachedService } from "../support/cached-service.ts";
import { eventually } from "../support/eventually.ts";
import { redisMissing, startRedisServer } from "../support/redis-server.ts";

const needsRedis = { skip: process.env.CI === undefined ? redisMissing() : undefined };
const isHit = ({ cache }: { cache: string }): boolean => cache.startsWith("Portico; hit");

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "portico-store-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test("answers on disk are there again after a restart", async (t) => {
  const disk = await temporaryFolder(t);
  const store = { disk, memoryBytes: 0 };
  const first = await startCachedService(t, answering({ "Cache-Control": "max-age=60" }), {}, { store });
  const stored = await eventually("it is on disk", async () => {
    const answer = await first.get("/orders", { host: "api.example" });
    return isHit(answer) && answer.text;
  });
  await first.gateway.close();
  const second = await startCachedService(t, answering({ "Cache-Control": "max-age=60" }), {}, { store });
  const got = await second.get("/orders", { host: "api.example" });
  assert.equal(got.text, stored);
  assert.equal(second.asked.length, 0);
});

test("a large answer streams through the disk and comes back whole, and in part", async (t) => {
  const disk = await temporaryFolder(t);
  const body = Buffer.alloc(3_000_000, "0123456789");
  const service = await startCachedService(
    t,
    (_request, response) => response.writeHead(200, { "Cache-Control": "max-age=60" }).end(body),
    {},
    { store: { disk } },
  );
  assert.equal((await service.get("/orders")).text.length, body.length);
  await eventually("it is stored", async () => isHit(await service.get("/orders")));
  const asked = service.asked.length;
  assert.ok(Buffer.from((await service.get("/orders")).text).equals(body));
  const part = await service.get("/orders", { Range: "bytes=1999995-2000004" });
  assert.deepEqual([part.status, part.text], [206, "5678901234"]);
  assert.equal(service.asked.length, asked);
});

test("a purge in one gateway reaches another that shares the disk", async (t) => {
  const store = { disk: await temporaryFolder(t) };
  const headers = { "Cache-Control": "max-age=60", "Surrogate-Key": "orders all" };
  const one = await startCachedService(t, answering(headers), {}, { store });
  const two = await startCachedService(t, answering(headers), {}, { store });
  const host = { host: "api.example" };
  await one.get("/orders", host);
  await eventually("the other one finds it", async () =>
    (await two.get("/orders", host)).cache.startsWith("Portico; hit"),
  );
  const asked = two.asked.length;
  await one.gateway.cache.purge({ kind: "tag", value: "orders", soft: false });
  await eventually("the other one asks again", async () => {
    await two.get("/orders", host);
    return two.asked.length > asked;
  });
});

test("answers and purges in Redis are shared by machines", needsRedis, async (t) => {
  const redis = await startRedisServer(t);
  const store = { redis: redis.url };
  const one = await startCachedService(t, answering({ "Cache-Control": "max-age=60" }), {}, { store });
  const two = await startCachedService(t, answering({ "Cache-Control": "max-age=60" }), {}, { store });
  const host = { host: "api.example" };
  await eventually("both are connected and share", async () => {
    await one.get("/orders", host);
    return isHit(await two.get("/orders", host));
  });
  const asked = two.asked.length;
  assert.equal((await one.send("POST", "/orders", host)).status, 200);
  await eventually("the other one asks again", async () => {
    await two.get("/orders", host);
    return two.asked.length > asked;
  });
});

test("a purge that Redis told of in vain is learned all the same", needsRedis, async (t) => {
  const redis = await startRedisServer(t);
  const fields = { "Cache-Control": "max-age=60", "Cache-Tag": "orders" };
  const service = await startCachedService(t, answering(fields), {}, { store: { redis: redis.url } });
  await eventually("it is stored", async () => isHit(await service.get("/orders")));
  const other = new Redis(redis.url);
  t.after(() => other.disconnect());
  const purge = JSON.stringify({ kind: "tag", value: "orders", soft: false });
  // As another machine does, but that nobody is told: its message was lost, or this one's connection is dead unnoticed.
  const seq = await other.incr("portico:purges:count");
  await other.zadd("portico:purges:log", seq, `${seq}\n${purge}`);
  await eventually("it is forgotten", async () => !isHit(await service.get("/orders")));
});

test("a Redis that is killed, frozen and started again costs misses, never an error", needsRedis, async (t) => {
  const redis = await startRedisServer(t);
  const store = { redis: redis.url, memoryBytes: 0 };
  const service = await startCachedService(t, answering({ "Cache-Control": "max-age=60" }), {}, { store });
  await eventually("Redis is used", async () => isHit(await service.get("/orders")));
  const statuses = new Set<number>();
  let isOver = false;
  const load = (async () => {
    for (let i = 0; !isOver; i++) statuses.add((await service.get(`/orders?page=${i % 5}`)).status);
  })();
  await redis.kill();
  for (let i = 0; i < 20; i++) statuses.add((await service.get("/orders")).status);
  await redis.start();
  await eventually("Redis is used again", async () => isHit(await service.get("/orders")));
  redis.freeze();
  for (let i = 0; i < 20; i++) statuses.add((await service.get(`/orders?page=cold${i}`)).status);
  redis.thaw();
  await eventually("Redis is used again after it was slow", async () => isHit(await service.get("/orders")));
  isOver = true;
  await load;
  assert.deepEqual([...statuses], [200]);
});

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Redis } from "ioredis";
import type { StoredChunks } from "../../src/caching/answer.ts";
import { DiskStore } from "../../src/caching/disk-store.ts";
import { openEmbeddedStore } from "../../src/storage/embedded-store.ts";
import { type CachedService, type Got, startCachedService } from "../support/cached-service.ts";
import { eventually } from "../support/eventually.ts";
import { redisMissing, startRedisServer } from "../support/redis-server.ts";
import { LARGE, startGatewayProcesses, warm } from "../support/shared-cache.ts";
import { storedAnswer } from "../support/stored-answer.ts";

const needsRedis = { skip: process.env.CI === undefined ? redisMissing() : undefined };
const isHit = ({ cache }: { cache: string }): boolean => cache.startsWith("Portico; hit");

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "portico-broken-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const STORES: [string, { skip?: string | undefined }, (t: TestContext) => Promise<object>][] = [
  ["memory", {}, async () => ({})],
  ["disk", {}, async (t) => ({ disk: await temporaryFolder(t) })],
  ["Redis", needsRedis, async (t) => ({ redis: (await startRedisServer(t)).url })],
];

/** How an answer ends before its end: bytes of a body of so many, in chunks or with a length. */
const ENDS = [
  ["small, with a length", 400, 900, true],
  ["small, in chunks", 400, 900, false],
  ["large, with a length", 200_000, 500_000, true],
  ["large, in chunks", 200_000, 500_000, false],
] as const;

for (const [name, options, makeStore] of STORES) {
  test(
    `${name}: an answer that breaks off is served as such, kept nowhere, and replaced by the whole`,
    options,
    async (t) => {
      const broken = new Set<string>();
      const service = await startCachedService(
        t,
        (request, response) => {
          const url = request.url ?? "";
          const [, sent, all, hasLength] = ENDS[Number(url.at(-1))] as (typeof ENDS)[number];
          const fields = { "Cache-Control": "max-age=60", ...(hasLength ? { "Content-Length": all } : {}) };
          response.writeHead(200, fields);
          if (broken.has(url)) response.end("w".repeat(all));
          else response.write("b".repeat(sent), () => response.destroy());
          broken.add(url);
        },
        {},
        { store: await makeStore(t) },
      );
      for (const [i, [what, , all]] of ENDS.entries()) {
        const path = `/orders?page=${i}`;
        const first = await service.get(path).catch(() => undefined);
        // What had arrived whole enough to be an answer is an error of the gateway's, never a 200.
        assert.notEqual(first?.status, 200, what);
        const stored = await eventually(`${what}: the whole is stored`, async () => {
          const got = await service.get(path);
          assert.equal(got.text, "w".repeat(all), what);
          return isHit(got) && got;
        });
        assert.equal(stored.headers["content-length"], String(all));
      }
    },
  );
}

test("nothing of what broke off stays on disk", async (t) => {
  const disk = await temporaryFolder(t);
  const service = await startCachedService(
    t,
    (_request, response) => {
      response.writeHead(200, { "Cache-Control": "max-age=60" }).write("b".repeat(300_000), () => response.destroy());
    },
    {},
    { store: { disk } },
  );
  for (let i = 0; i < 5; i++) await service.get(`/orders?page=${i}`).catch(() => undefined);
  // Two handles of one process on one folder may wait for each other: LMDB is opened once the gateway has let go of it.
  await service.gateway.close();
  const store = openEmbeddedStore({ folder: join(disk, "cache") });
  t.after(() => store.close());
  const [chunks, unfinished] = [store.table("chunks", "binary"), store.table("unfinished", "json")];
  await eventually("all of it is gone", () => chunks.getCount() === 0 && unfinished.getCount() === 0);
});

test("what a killed process has left on disk is taken away an hour later", async (t) => {
  const folder = await temporaryFolder(t);
  const killed = new DiskStore({ folder, bytes: 1_000_000 });
  const body = killed.createBody();
  await body.write(Buffer.alloc(70_000));
  await body.write(Buffer.alloc(70_000));
  const store = openEmbeddedStore({ folder });
  t.after(() => store.close());
  const [chunks, unfinished] = [store.table("chunks", "binary"), store.table<number, string>("unfinished", "json")];
  assert.deepEqual([chunks.getCount(), unfinished.getCount()], [2, 1]);
  const next = new DiskStore({ folder, bytes: 1_000_000 });
  await next.put(storedAnswer("one"), 60_000);
  assert.equal(chunks.getCount(), 2);
  for (const id of unfinished.getKeys()) await unfinished.put(id, Date.now() - 3_600_001);
  const later = new DiskStore({ folder, bytes: 1_000_000 });
  await later.put(storedAnswer("two"), 60_000);
  assert.deepEqual([chunks.getCount(), unfinished.getCount()], [0, 0]);
  for (const each of [killed, next, later]) await each.close();
});

test("what is being written to disk, and sent though its record has gone, is within what may be there", async (t) => {
  const store = new DiskStore({ folder: await temporaryFolder(t), bytes: 1_000_000 });
  t.after(() => store.close());
  const put = async (key: string): Promise<StoredChunks> => {
    const body = store.createBody();
    assert.equal(await body.write(Buffer.alloc(400_000)), true);
    const chunks = (await body.finish()) as StoredChunks;
    await store.put(storedAnswer(key, { body: null, chunks, length: 400_000 }), 60_000);
    return chunks;
  };
  const sent = await put("one");
  const withOne = store.bytes;
  store.hold(sent);
  await store.delete("one");
  assert.ok(store.bytes >= 400_000);
  const tooMuch = store.createBody();
  assert.equal(await tooMuch.write(Buffer.alloc(400_000)), true);
  assert.equal(await tooMuch.write(Buffer.alloc(300_000)), false);
  tooMuch.discard();
  store.release(sent);
  await eventually("both bodies are gone", () => store.readChunk(sent, 0) === undefined && store.bytes === 0);
  await put("two");
  assert.equal(store.bytes, withOne);
  const making = store.createBody();
  for (let i = 0; i < 7; i++) {
    assert.equal(await making.write(Buffer.alloc(100_000)), true);
    assert.ok(store.bytes <= 1_000_000, `${store.bytes} bytes`);
  }
  assert.equal(store.find("two"), undefined);
  making.discard();
  assert.equal(store.bytes, 0);
});

test("a disk that is gone costs misses, never an error", async (t) => {
  const store = new DiskStore({ folder: await temporaryFolder(t), bytes: 1_000_000 });
  await store.put(storedAnswer("one"), 60_000);
  await store.close();
  await store.put(storedAnswer("two"), 60_000);
  assert.equal(store.find("one"), undefined);
  assert.equal(store.append({ kind: "all", value: "", soft: false }), undefined);
  const body = store.createBody();
  assert.equal(await body.write(Buffer.alloc(10)), false);
  body.discard();
});

test("a part that Redis has evicted breaks one answer off, and the next is fetched anew", needsRedis, async (t) => {
  const { url } = await startRedisServer(t);
  const service: CachedService = await startCachedService(
    t,
    (_request, response) => response.writeHead(200, { "Cache-Control": "max-age=60" }).end(LARGE),
    {},
    { store: { redis: url } },
  );
  await eventually("it is stored", async () => isHit(await service.get("/orders")));
  const redis = new Redis(url);
  t.after(() => redis.disconnect());
  const [part] = await redis.keys("portico:cache:body:*:2");
  await redis.del(part as string);
  const got = await service.get("/orders").catch(() => undefined);
  assert.ok(got === undefined || got.text === LARGE);
  await eventually("it is whole again", async () => {
    const next = await service.get("/orders").catch(() => undefined);
    return next?.text === LARGE && isHit(next);
  });
});

test("a process that is killed while it writes harms nobody who shares its disk", async (t) => {
  const [one, two] = await startGatewayProcesses(t, 2, (folder) => ({ disk: `${folder}/data` }));
  if (one === undefined || two === undefined) throw new Error("two were started");
  await warm([one, two], "/orders/1");
  // As many large answers on their way to the disk as can be when it ends.
  const underWay = Array.from({ length: 30 }, (_, i) => one.get(`/orders/large-${i}`).catch(() => undefined));
  await underWay[0];
  await one.kill();
  await Promise.all(underWay);
  for (let i = 0; i < 30; i++) {
    const got: Got = await two.get(`/orders/large-${i}`);
    assert.deepEqual([got.status, got.text === LARGE], [200, true]);
  }
  await warm([two], "/orders/large-29");
  assert.ok(await two.isHit("/orders/1"));
});

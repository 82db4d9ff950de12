import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Cache } from "../../src/caching/cache.ts";
import { DiskStore } from "../../src/caching/disk-store.ts";
import { hashKey } from "../../src/caching/key-hash.ts";
import { MemoryStore } from "../../src/caching/memory-store.ts";
import { connect } from "../../src/caching/redis-connection.ts";
import { RedisPurges } from "../../src/caching/redis-purges.ts";
import { RedisStore } from "../../src/caching/redis-store.ts";
import type { CacheStore, PurgeLog } from "../../src/caching/store.ts";
import { TieredStore } from "../../src/caching/tiered-store.ts";
import { HeaderList } from "../../src/core/headers.ts";
import { eventually } from "../support/eventually.ts";
import { redisMissing, startRedisServer } from "../support/redis-server.ts";
import { storedAnswer } from "../support/stored-answer.ts";

/** One suite for every place that answers are kept in. */
const makers: Record<string, { skip?: string | undefined; make(t: TestContext): Promise<CacheStore> }> = {
  memory: { make: async () => new MemoryStore({ bytes: 4_000_000, entries: 1000 }) },
  disk: {
    async make(t) {
      const folder = await mkdtemp(join(tmpdir(), "portico-disk-"));
      const store = new DiskStore({ folder, bytes: 4_000_000 });
      logs.set(store, store);
      t.after(async () => {
        await store.close();
        await rm(folder, { recursive: true, force: true });
      });
      return store;
    },
  },
  redis: { skip: redisMissing(), make: startRedisStore },
  "memory before redis": {
    skip: redisMissing(),
    async make(t) {
      const redis = await startRedisStore(t);
      const store = new TieredStore(new MemoryStore({ bytes: 0, entries: 0 }), redis);
      logs.set(store, logs.get(redis) as PurgeLog);
      return store;
    },
  },
};

/** Of the stores that others share: what they tell one another. */
const logs = new WeakMap<CacheStore, PurgeLog>();
const cacheOf = (store: CacheStore): Cache => new Cache({ store, log: logs.get(store), entryBytes: 1_000_000 });

async function startRedisStore(t: TestContext): Promise<CacheStore> {
  const server = await startRedisServer(t);
  const redis = connect(server.url);
  const purges = new RedisPurges(redis, redis.duplicate());
  const store = new RedisStore(redis, purges);
  logs.set(store, purges);
  t.after(() => store.close());
  await eventually("Redis is connected", () => purges.isCaughtUp);
  return store;
}

for (const [name, { skip, make }] of Object.entries(makers)) {
  const options = { skip: process.env.CI === undefined ? skip : undefined };

  test(`${name}: what was put is found whole, and only under its key`, options, async (t) => {
    const store = await make(t);
    await store.put(storedAnswer("one", { body: Buffer.from([0, 255, 10, 13]), tags: ["a"] }), 60_000);
    const found = await store.find("one");
    assert.equal(found?.kind, "answer");
    if (found?.kind !== "answer") return;
    assert.deepEqual(found.body, Buffer.from([0, 255, 10, 13]));
    assert.deepEqual(found.headers.toFlat(), ["Date", "Thu, 01 Jan 2026 00:00:00 GMT", "X-Ünï", "1"]);
    assert.deepEqual([found.status, found.tags, found.freshness.alwaysAsk], [200, ["a"], false]);
    assert.equal(await store.find("two"), undefined);
  });

  test(`${name}: an index of variants is found as it was put`, options, async (t) => {
    const store = await make(t);
    const index = { kind: "variants", key: "k", generation: "g", selectors: [["accept"], []] } as const;
    await store.put(index, 60_000);
    const found = await store.find("k");
    assert.deepEqual(found?.kind === "variants" && found.selectors, [["accept"], []]);
  });

  test(`${name}: a later answer takes the place of an earlier one, and can be deleted`, options, async (t) => {
    const store = await make(t);
    await store.put(storedAnswer("k", { body: Buffer.from("old") }), 60_000);
    await store.put(storedAnswer("k", { body: Buffer.from("new") }), 60_000);
    const found = await store.find("k");
    assert.equal(found?.kind === "answer" && String(found.body), "new");
    await store.delete("k");
    assert.equal(await store.find("k"), undefined);
  });

  test(`${name}: a large body goes in and out in parts`, options, async (t) => {
    const store = await make(t);
    const writer = store.createBody();
    const parts = Array.from({ length: 20 }, (_, i) => Buffer.alloc(50_000, i));
    for (const part of parts) assert.equal(await writer.write(part), true);
    const chunks = await writer.finish();
    assert.ok(chunks);
    await store.put(storedAnswer("large", { body: null, chunks, length: 1_000_000 }), 60_000);
    const found = await store.find("large");
    assert.deepEqual(found?.kind === "answer" && found.chunks, chunks);
    for (const [i, part] of parts.entries()) assert.ok((await store.readChunk(chunks, i))?.equals(part));
    assert.equal(await store.readChunk(chunks, 20), undefined);
  });

  test(`${name}: nothing is left of a body that was given up`, options, async (t) => {
    const store = await make(t);
    const writer = store.createBody();
    await writer.write(Buffer.from("half"));
    const chunks = await writer.finish();
    writer.discard();
    await eventually("the part is gone", async () => chunks === undefined || !(await store.readChunk(chunks, 0)));
  });

  test(`${name}: cleared, it holds nothing`, options, async (t) => {
    const store = await make(t);
    for (let i = 0; i < 50; i++) await store.put(storedAnswer(`k${i}`), 60_000);
    await store.clear();
    for (let i = 0; i < 50; i++) assert.equal(await store.find(`k${i}`), undefined);
  });

  test(`${name}: variants are found by what they were selected by`, options, async (t) => {
    const cache = cacheOf(await make(t));
    const asking = (language: string) => HeaderList.from({ "Accept-Language": language });
    const textFor = async (language: string): Promise<string> => {
      const found = await cache.find("k", hashKey("k"), asking(language));
      return typeof found === "string" ? found : String(found.body);
    };
    for (const language of ["en", "de"]) {
      cache.put(
        storedAnswer("k", { body: Buffer.from(language) }),
        hashKey("k"),
        ["accept-language"],
        asking(language),
      );
      await eventually(`${language} is stored`, async () => (await textFor(language)) === language);
    }
    assert.deepEqual([await textFor("EN"), await textFor("de"), await textFor("fr")], ["en", "de", "vary-miss"]);
  });

  test(`${name}: a tag is purged softly, then for good, and what has another tag stays`, options, async (t) => {
    const cache = cacheOf(await make(t));
    const none = new HeaderList();
    for (const tag of ["red", "blue"]) cache.put(storedAnswer(tag, { tags: [tag] }), hashKey(tag), [], none);
    for (const tag of ["red", "blue"]) {
      await eventually(`${tag} is stored`, async () => (await cache.find(tag, hashKey(tag), none)) !== "uri-miss");
    }
    const isFresh = async (key: string): Promise<boolean | string> => {
      const found = await cache.find(key, hashKey(key), none);
      return typeof found === "string" ? found : found.freshness.freshUntilMs > Date.now();
    };
    await cache.purge({ kind: "tag", value: "red", soft: true });
    await eventually("red is stale", async () => (await isFresh("red")) === false);
    assert.equal(await isFresh("blue"), true);
    await cache.purge({ kind: "tag", value: "red", soft: false });
    await eventually("red is gone", async () => (await isFresh("red")) === "uri-miss");
    assert.equal(await isFresh("blue"), true);
  });

  test(`${name}: it keeps within its bytes, and the latest`, options, async (t) => {
    const store = await make(t);
    for (let i = 0; i < 100; i++) await store.put(storedAnswer(`k${i}`, { body: Buffer.alloc(100_000) }), 60_000);
    assert.ok(await store.find("k99"));
    // Redis has a limit of its own for all that use it (maxmemory), and cannot tell what is ours.
    if (store.bytes === undefined || name === "memory before redis") return;
    assert.ok(store.bytes <= 4_000_000 && store.bytes > 2_000_000, `${store.bytes}`);
    assert.equal(await store.find("k0"), undefined);
  });
}

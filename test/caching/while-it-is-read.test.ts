import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type CachedService, startCachedService } from "../support/cached-service.ts";
import { eventually } from "../support/eventually.ts";
import { redisMissing, startRedisServer } from "../support/redis-server.ts";

/** More than the sockets on the way take up by themselves. */
const BYTES = 7_000_000;
const isHit = ({ cache }: { cache: string }): boolean => cache.startsWith("Portico; hit");

const onDisk = async (t: TestContext): Promise<object> => {
  const folder = await mkdtemp(join(tmpdir(), "portico-read-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return { disk: folder };
};
const needsRedis = { skip: process.env.CI === undefined ? redisMissing() : undefined };
const STORES: [string, { skip?: string | undefined }, (t: TestContext) => Promise<object>][] = [
  ["memory", {}, async () => ({})],
  ["disk", {}, onDisk],
  ["Redis", needsRedis, async (t) => ({ redis: (await startRedisServer(t)).url })],
];

/** An answer whose client has had its first bytes, and reads no further yet. */
const startReading = (service: CachedService, path: string): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const client = request(service.url + path, { agent: false }, (response) => {
      response.once("readable", () => resolve(response));
    });
    client.once("error", reject);
    client.end();
  });

async function readOn(response: IncomingMessage): Promise<{ length: number; kinds: number }> {
  const kinds = new Set<number>();
  let length = 0;
  for await (const chunk of response) {
    length += chunk.length;
    kinds.add(chunk[0]).add(chunk.at(-1));
  }
  return { length, kinds: kinds.size };
}

for (const [name, options, makeStore] of STORES) {
  for (const [what, change] of [
    ["replaced", (service: CachedService) => service.get("/orders/1", { "Cache-Control": "no-cache" })],
    ["invalidated", (service: CachedService) => service.send("PUT", "/orders/1")],
  ] as const) {
    test(`${name}: who reads a large answer that is ${what} meanwhile has all of the old one`, options, async (t) => {
      let version = 0;
      const service = await startCachedService(
        t,
        ({ method }, response) => {
          if (method !== "GET") return response.end();
          const body = Buffer.alloc(BYTES, String(++version));
          return response.writeHead(200, { "Cache-Control": "max-age=60", "Content-Length": BYTES }).end(body);
        },
        {},
        { store: await makeStore(t) },
      );
      await eventually("it is stored", async () => isHit(await service.get("/orders/1")));
      const slow = await startReading(service, "/orders/1");
      assert.match(String(slow.headers["cache-status"]), /hit/);
      await change(service);
      await eventually("the new one is there", async () => {
        const got = await service.get("/orders/1");
        return isHit(got) && got.text[0] !== "1";
      });
      assert.deepEqual(await readOn(slow), { length: BYTES, kinds: 1 });
      const { store } = service.gateway.cache;
      if (store.bytes !== undefined) {
        await eventually("the old one has gone", () => (store.bytes as number) < 2 * BYTES);
      }
    });
  }
}

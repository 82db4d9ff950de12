import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { startCachedService } from "../support/cached-service.ts";
import { eventually } from "../support/eventually.ts";
import { redisMissing, startRedisServer } from "../support/redis-server.ts";

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "portico-stores-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const needsRedis = { skip: process.env.CI === undefined ? redisMissing() : undefined };
const STORES: [string, { skip?: string | undefined }, (t: TestContext) => Promise<object>][] = [
  ["memory", {}, async () => ({})],
  ["disk", {}, async (t) => ({ disk: await temporaryFolder(t) })],
  ["Redis", needsRedis, async (t) => ({ redis: (await startRedisServer(t)).url })],
];

const far = "Thu, 01 Jan 2099 00:00:00 GMT";
/** What an upstream says, and whether it is reused. */
const SAID: [fields: Record<string, string | string[]>, isReused: boolean][] = [
  [{ "Cache-Control": "max-age=60" }, true],
  [{ "Cache-Control": 'max-age="60"' }, true],
  [{ "Cache-Control": ",, MAX-AGE=60 ,," }, true],
  [{ "Cache-Control": ["max-age=60", "no-store"] }, false],
  [{ "Cache-Control": "max-age=60 no-store" }, false],
  [{ "Cache-Control": "max-age=60;no-store" }, false],
  [{ "Cache-Control": 'ext="unterminated, max-age=60' }, false],
  [{ "Cache-Control": "max-age=+60", Expires: far }, false],
  [{ "Cache-Control": "private, max-age=60" }, false],
  [{ "Cache-Control": "max-age=60", "Set-Cookie": "a=b" }, false],
  [{ "Cache-Control": "max-age=60", Age: "1e9" }, true],
  [{ "Cache-Control": "max-age=60", Age: "-1" }, true],
  [{ "Cache-Control": "max-age=60", Age: "1000000000" }, false],
  [{ "Cache-Control": "max-age=60", Vary: "Accept, *" }, false],
  [{ "Cache-Control": "max-age=60", Vary: "accept,,user-agent" }, true],
  [{ "Cache-Control": "max-age=60", "X-Text": "caf\u00e9" }, true],
  [{ "Cache-Control": "max-age=60", "X-Empty": "" }, true],
  [{ Expires: far }, true],
  [{ Expires: far.toLowerCase() }, true],
  [{ Expires: far.replace("GMT", "+0000") }, false],
  [{ Expires: [far, far] }, false],
  [{ "CDN-Cache-Control": "max-age=60", "Cache-Control": "no-store" }, true],
  [{ "CDN-Cache-Control": "no-store", "Cache-Control": "max-age=60" }, false],
];

for (const [name, options, makeStore] of STORES) {
  test(`${name}: what an upstream says decides what is reused, and it comes back as it was`, options, async (t) => {
    const service = await startCachedService(
      t,
      ({ url }, response) => {
        const [fields] = SAID[Number(/\d+$/.exec(url ?? "")?.[0])] as (typeof SAID)[number];
        response.writeHead(200, fields).end(`the answer to ${url}`);
      },
      {},
      { store: await makeStore(t) },
    );
    for (const [i, [fields, isReused]] of SAID.entries()) {
      const path = `/orders?page=${i}`;
      const first = await service.get(path);
      // What is stale when it arrives may be stored, and is not reused.
      if (isReused) assert.match(first.cache, /; stored\b/, JSON.stringify(fields));
      assert.equal(first.text, `the answer to ${path}`);
      const again = isReused
        ? await eventually(`a hit: ${JSON.stringify(fields)}`, async () => {
            const got = await service.get(path);
            return got.cache.startsWith("Portico; hit") ? got : undefined;
          })
        : await service.get(path);
      assert.equal(again.cache.startsWith("Portico; hit"), isReused, JSON.stringify(fields));
      assert.deepEqual([again.status, again.text], [200, first.text]);
      for (const [field, value] of Object.entries(first.headers)) {
        if (!OF_ONE_ANSWER.has(field)) assert.deepEqual(again.headers[field], value, field);
      }
    }
  });
}
/** Said anew each time. */
const OF_ONE_ANSWER: ReadonlySet<string> = new Set(["age", "cache-status", "date", "keep-alive"]);

for (const [name, options, makeStore] of STORES) {
  const isHit = ({ cache }: { cache: string }): boolean => cache.startsWith("Portico; hit");
  // Without memory in front, whatever is found has just come from the store itself.
  const alone = name === "memory" ? {} : { memoryBytes: 0 };

  test(`${name}: an answer is found as soon as it has been given`, options, async (t) => {
    const store = { ...(await makeStore(t)), ...alone };
    const service = await startCachedService(
      t,
      ({ url }, response) => response.writeHead(200, { "Cache-Control": "max-age=60" }).end(`the answer to ${url}`),
      {},
      { store },
    );
    for (let i = 0; i < 50; i++) {
      const path = `/orders?page=${i}`;
      const asked = [service.get(path), service.get(path), service.get(path)];
      asked.push(Promise.race(asked).then(() => service.get(path)));
      for (const { text } of await Promise.all(asked)) assert.equal(text, `the answer to ${path}`);
      assert.equal(service.asked.length, i + 1, path);
    }
  });

  test(`${name}: what was invalidated is not found again, however soon it is asked for`, options, async (t) => {
    const store = { ...(await makeStore(t)), ...alone };
    let version = 0;
    const service = await startCachedService(
      t,
      ({ method }, response) => {
        if (method !== "GET") version++;
        response.writeHead(200, method === "GET" ? { "Cache-Control": "max-age=60" } : {}).end(`version ${version}`);
      },
      {},
      { store },
    );
    for (let i = 1; i <= 20; i++) {
      await eventually("it is stored", async () => isHit(await service.get("/orders")));
      await service.send("POST", "/orders");
      assert.equal((await service.get("/orders")).text, `version ${i}`);
    }
  });

  test(`${name}: an answer without a validator stands in for an upstream that is gone`, options, async (t) => {
    const store = { ...(await makeStore(t)), ...alone };
    let isGone = false;
    const service = await startCachedService(
      t,
      (_request, response) => {
        if (isGone) response.destroy();
        else response.writeHead(200, { "Cache-Control": "max-age=2" }).end("kept");
      },
      {},
      { store },
    );
    await eventually("it is stored", async () => isHit(await service.get("/orders")));
    isGone = true;
    const stale = await eventually("it is stale", async () => {
      const got = await service.get("/orders");
      return got.cache.startsWith("Portico; hit; ttl=") ? undefined : got;
    });
    assert.deepEqual([stale.status, stale.text], [200, "kept"]);
    assert.match(stale.cache, /^Portico; hit; fwd=stale; detail=upstream-failed/);
  });

  for (const bytes of [100, 20_000, 200_000]) {
    test(
      `${name}: of ${bytes} bytes is stored what the upstream sent, not what the first client got`,
      options,
      async (t) => {
        const store = await makeStore(t);
        const body = Buffer.alloc(bytes, "x");
        const fields = { "Cache-Control": "max-age=60", "Content-Length": bytes, Date: new Date().toUTCString() };
        const service = await startCachedService(
          t,
          (_request, response) => response.writeHead(200, fields).end(body),
          {},
          { store },
        );
        const together = await Promise.all([service.get("/orders"), service.get("/orders"), service.get("/orders")]);
        assert.deepEqual(
          together.map(({ headers }) => String(headers["cache-status"]).split(", ").length),
          [1, 1, 1],
        );
        const again = await eventually("a hit", async () => {
          const got = await service.get("/orders");
          return isHit(got) ? got : undefined;
        });
        assert.match(String(again.headers["cache-status"]), /^Portico; hit; ttl=\d+$/);
      },
    );
  }

  test(`${name}: a large answer that was confirmed is there as a whole, each time`, options, async (t) => {
    const store = { ...(await makeStore(t)), ...alone };
    const body = "0123456789".repeat(30_000);
    const service = await startCachedService(
      t,
      ({ headers }, response) => {
        const isAsked = headers["if-none-match"] === '"one"';
        response.writeHead(isAsked ? 304 : 200, { "Cache-Control": "max-age=0", ETag: '"one"' });
        response.end(isAsked ? undefined : body);
      },
      {},
      { store },
    );
    await eventually("it is confirmed", async () => (await service.get("/orders")).cache.includes("fwd-status=304"));
    for (let i = 0; i < 3; i++) {
      const { cache, text } = await service.get("/orders");
      assert.match(cache, /fwd-status=304/);
      assert.ok(text === body);
    }
    assert.equal((await service.get("/orders", { Range: "bytes=299995-" })).text, "56789");
  });
}

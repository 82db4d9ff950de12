import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { PorticoOptions } from "../../src/config/schema.ts";
import { createGateway } from "../../src/gateway/gateway.ts";
import { folderWith } from "../support/cli.ts";
import { redisMissing, startRedisServer } from "../support/redis-server.ts";

const spec = JSON.stringify({
  openapi: "3.1.0",
  info: { title: "Things", version: "1" },
  paths: { "/things": { get: { responses: { 200: { description: "ok" } } } } },
});
const route = (plugins: string): string => `openapi: ../things.json\nmock: true\nplugins: ${plugins}\n`;

async function start(t: TestContext, folder: string, options: PorticoOptions) {
  const gateway = await createGateway({ folder, port: 0, options });
  const url = await gateway.listen();
  t.after(() => gateway.close());
  return { gateway, send: async () => (await fetch(`${url}/things`)).status };
}

test("counts go on over a reload, also with a plugin written before them, until the limit itself is changed", async (t) => {
  const folder = await folderWith(t, {
    "things.json": spec,
    "routes/a.yaml": route("[{ rate-limit: { rate: 2/day } }, { rate-limit: { rate: 100/day } }]"),
  });
  const { gateway, send } = await start(t, folder, {});
  assert.equal(await send(), 200);
  const file = join(folder, "routes/a.yaml");
  await writeFile(file, route("[request-id, { rate-limit: { rate: 2/day } }, { rate-limit: { rate: 100/day } }]"));
  await gateway.reload();
  assert.deepEqual([await send(), await send()], [200, 429]);
  await writeFile(file, route("[request-id, { rate-limit: { rate: 3/day } }, { rate-limit: { rate: 100/day } }]"));
  await gateway.reload();
  assert.deepEqual([await send(), await send(), await send(), await send()], [200, 200, 200, 429]);
});

test("a reload that is refused loses no count either", async (t) => {
  const folder = await folderWith(t, {
    "things.json": spec,
    "routes/a.yaml": route("[{ rate-limit: { rate: 1/day } }]"),
  });
  const { gateway, send } = await start(t, folder, {});
  assert.equal(await send(), 200);
  await writeFile(join(folder, "routes/a.yaml"), route("[{ rate-limit: { rate: 1/day } }, { nonsense: {} }]"));
  await assert.rejects(gateway.reload(), /nonsense/);
  assert.equal(await send(), 429);
  await writeFile(join(folder, "routes/a.yaml"), route("[{ rate-limit: { rate: 1/day } }]"));
  await gateway.reload();
  assert.equal(await send(), 429);
});

test("in one Redis, the same file counts together and files of one name in two folders count apart", {
  skip: redisMissing() ?? false,
}, async (t) => {
  const redis = await startRedisServer(t);
  const folder = await folderWith(t, {
    "things.json": spec,
    "one/a.yaml": route("[{ rate-limit: { rate: 2/day, by: route } }]"),
    "two/a.yaml": route("[{ rate-limit: { rate: 2/day, by: route } }]"),
  });
  const from = (routes: string) => start(t, folder, { routes, store: { redis: redis.url, redisTimeoutMs: 60_000 } });
  const [one, two, again] = [await from("one"), await from("two"), await from("one")];
  assert.deepEqual([await one.send(), await again.send(), await one.send()], [200, 200, 429]);
  assert.deepEqual([await two.send(), await two.send(), await two.send()], [200, 200, 429]);
});

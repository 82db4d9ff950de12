import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { DOCUMENT } from "../support/cached-service.ts";
import { folderWith, portico } from "../support/cli.ts";

const files = {
  "portico.yaml": "listen: { port: 0 }\n",
  "openapi/orders.json": JSON.stringify(DOCUMENT),
  "routes/orders.yaml":
    'openapi: ../openapi/orders.json\nprefix: /shop\nsecurity: upstream\ncache: { key: declared }\nupstream: { targets: [{ url: "http://127.0.0.1:1" }] }\n',
};

test("explain shows what a request meets, its cache key, and what it invalidates", async (t) => {
  const folder = await folderWith(t, files);
  const config = ["--config", join(folder, "portico.yaml")];
  const read = await portico("explain", "GET", "/shop/orders", ...config).finished;
  assert.equal(read.code, 0);
  assert.match(read.stdout, /^GET \/shop\/orders {2}\(listOrders\)/);
  assert.match(read.stdout, /^ {4}cache +cache$/m);
  assert.match(read.stdout, /cache key: scheme, host, path, query page, cookie tenant$/m);
  const write = await portico("explain", "PUT", "/shop/orders/{id}", ...config).finished;
  assert.match(write.stdout, /a success invalidates:\n {4}\/shop\/orders\n {4}\/shop\/orders\/\{id\}\n$/);
});

test("explain says that no operation answers", async (t) => {
  const folder = await folderWith(t, files);
  const { code, stderr } = await portico("explain", "GET", "/nothing", "--config", join(folder, "portico.yaml"))
    .finished;
  assert.equal(code, 1);
  assert.match(stderr, /no operation answers GET \/nothing/);
});

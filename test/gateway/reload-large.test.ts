import assert from "node:assert/strict";
import { once } from "node:events";
import { copyFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { PorticoOptions, RouteOptions } from "../../src/config/schema.ts";
import { createGateway } from "../../src/index.ts";
import type { Portico } from "../../src/runtime/portico.ts";
import { folderWith } from "../support/cli.ts";

const GITHUB = "node_modules/@octokit/openapi/generated/api.github.com.json";

/** How often the event loop comes round while something is done. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await work();
  isOver = true;
  return turns;
}

/** A gateway before a service that answers everything. */
async function start(
  t: TestContext,
  options: PorticoOptions,
  routes: Omit<RouteOptions, "upstream">,
  folder = ".",
): Promise<{ gateway: Portico; url: string }> {
  const service = createServer((_request, response) => response.end('{"ok":true}')).listen(0, "127.0.0.1");
  t.after(() => service.close().closeAllConnections());
  await once(service, "listening");
  const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  const gateway = await createGateway({
    options: { listen: { port: 0 }, ...options },
    folder,
    routes: [{ ...routes, upstream: { targets: [{ url }] } }],
  });
  t.after(() => gateway.close());
  return { gateway, url: await gateway.listen() };
}

test("a reload of GitHub's description beside traffic fails no request, and the event loop goes on meanwhile", async (t) => {
  const folder = await folderWith(t, {});
  const file = join(folder, "github.json");
  await copyFile(GITHUB, file);
  const { gateway, url } = await start(t, {}, { openapi: "github.json", prefix: "" }, folder);
  const before = gateway.current();

  const statuses = new Set<number>();
  let isReloading = true;
  const traffic = (async () => {
    while (isReloading) statuses.add((await fetch(`${url}/meta`)).status);
  })();
  // In one go it would be a few dozen.
  const turns = await turnsDuring(() => gateway.reload());
  isReloading = false;
  await traffic;
  assert.ok(turns > 40, `${turns} turns`);
  assert.deepEqual([...statuses], [200]);
  assert.notEqual(gateway.current(), before);
  assert.equal(gateway.current().routes.length, before.routes.length);

  const merging = await turnsDuring(async () => {
    const answer = await fetch(`${url}/.well-known/openapi.json`);
    const { paths } = (await answer.json()) as { paths: object };
    assert.ok(Object.keys(paths).length > 700);
  });
  assert.ok(merging > 20, `${merging} turns`);

  await writeFile(file, `{"openapi": "3.1.0", "x-filler": "${"x".repeat(600_000)}",\n "paths": }`);
  await assert.rejects(gateway.reload(), /github\.json:2:11 is not JSON/);
  assert.equal((await fetch(`${url}/meta`)).status, 200);
});

test("reloads that are asked for at once are made one after the other, and one that is under way ends with the gateway", async (t) => {
  const { gateway, url } = await start(
    t,
    { plugins: [{ "rate-limit": { rate: "5/min" } }] },
    { openapi: "openapi/petstore.yaml", prefix: "/shop", security: "upstream", validate: { response: "off" } },
  );
  await Promise.all([gateway.reload(), gateway.reload(), gateway.reload()]);
  const limits = [];
  for (let i = 0; i < 2; i++) limits.push((await fetch(`${url}/shop/pets`)).headers.get("ratelimit"));
  assert.match(limits.join(), /r=4.*r=3/);
  const last = gateway.reload();
  await gateway.close();
  await last;
});

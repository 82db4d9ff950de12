import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import express from "express";
import { createExpressServer } from "../../src/core/express-server.ts";
import { EventStreamParser, type ServerEvent } from "../../src/discovery/event-stream.ts";
import { LocalRegistry } from "../../src/registry/local-registry.ts";
import { streamChanges } from "../../src/registry/stream.ts";
import { call, eventually, idsOf, startTestRegistry } from "../support/registry.ts";

const put = (url: string, service: string, id: string) =>
  call("PUT", `${url}/v1/services/${service}/instances/${id}`, { body: { url: "http://127.0.0.1:9000" } });

test("a long poll answers at the change, with the new index", async (t) => {
  const { url } = await startTestRegistry(t);
  const { index } = (await call("GET", `${url}/v1/services/pets`)).body;
  const waiting = call("GET", `${url}/v1/services/pets?index=${index}&wait=60s`);
  await put(url, "pets", "a");
  const changed = await waiting;
  assert.deepEqual(idsOf(changed), ["a"]);
  assert.ok(Number(changed.body.index) > Number(index));
});

test("a long poll of one service sleeps through the changes of another, and ends when its wait is over", async (t) => {
  const { url } = await startTestRegistry(t);
  const { index } = (await put(url, "pets", "a")).body;
  const waiting = call("GET", `${url}/v1/services/pets?index=${index}&wait=500ms`);
  await put(url, "shops", "b");
  assert.equal((await waiting).body.index, index);
});

test("a long poll over all services sees each", async (t) => {
  const { url } = await startTestRegistry(t);
  const { index } = (await call("GET", `${url}/v1/services`)).body;
  const waiting = call("GET", `${url}/v1/services?index=${index}&wait=60s`);
  await put(url, "shops", "b");
  assert.ok("shops" in ((await waiting).body.services as object));
});

test("an index from another life of the registry is answered at once", async (t) => {
  const { url } = await startTestRegistry(t);
  await put(url, "pets", "a");
  assert.deepEqual(idsOf(await call("GET", `${url}/v1/services/pets?index=999999999&wait=60s`)), ["a"]);
});

for (const [what, path] of [
  ["one service", "/v1/services/pets"],
  ["all services", "/v1/services"],
]) {
  test(`an event stream of ${what} tells what stands, then each change`, async (t) => {
    const { url } = await startTestRegistry(t);
    await put(url, "pets", "a");
    const controller = new AbortController();
    t.after(() => controller.abort());
    const response = await fetch(url + path, {
      headers: { accept: "text/event-stream" },
      signal: controller.signal,
    });
    const seen: string[] = [];
    const parser = new EventStreamParser(({ type, data }: ServerEvent) =>
      seen.push(`${type} ${JSON.parse(data).id ?? ""}`.trim()),
    );
    const reading = (async () => {
      for await (const chunk of response.body ?? []) parser.push(Buffer.from(chunk as Uint8Array).toString());
    })().catch(() => {});
    await eventually(
      () => seen.join(),
      (text) => text === "put a,synced",
    );
    await put(url, "pets", "b");
    await call("DELETE", `${url}/v1/services/pets/instances/a`);
    await eventually(
      () => seen.join(),
      (text) => text === "put a,synced,put b,delete a",
    );
    controller.abort();
    await reading;
  });
}

test("a reader that is gone before its watch begins leaves nothing behind", async (t) => {
  const registry = new LocalRegistry();
  t.after(() => registry.close());
  const app = express();
  let released = 0;
  app.get("/", (_, response) => {
    response.once("close", () => void streamChanges(registry, undefined, response, () => released++));
  });
  const server = createExpressServer(app);
  t.after(() => void server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const ending = new AbortController();
  const gone = fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { signal: ending.signal });
  await new Promise((resolve) => server.once("request", resolve));
  ending.abort();
  await assert.rejects(gone);
  await eventually(
    () => released,
    (count) => count === 1,
  );
});

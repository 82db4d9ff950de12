import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createGateway, type Portico } from "../../src/index.ts";
import { call, eventually, idsOf, temporaryFolder } from "../support/registry.ts";
import { startServiceProcess } from "../support/service-process.ts";

const spec = {
  openapi: "3.1.0",
  info: { title: "Who", version: "1" },
  paths: { "/who": { get: { operationId: "who", responses: { 200: { description: "ok" } } } } },
};

async function startGateway(t: TestContext): Promise<{ portico: Portico; url: string; registry: string }> {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, "who.json"), JSON.stringify(spec));
  const portico = await createGateway({
    folder,
    port: 0,
    options: { registry: { embedded: { port: 0, data: "./data" } } },
    routes: [{ openapi: "who.json", upstream: { service: "who" } }],
  });
  t.after(() => portico.close());
  const url = await portico.listen();
  return { portico, url, registry: String(portico.registryUrl) };
}

test("a service that no instance is registered for answers 503, not 404", async (t) => {
  const { url } = await startGateway(t);
  const { status, body } = await call("GET", `${url}/who`);
  assert.equal(status, 503);
  assert.equal(body.code, "NO_INSTANCE");
});

test("two processes register over HTTP and share the work; kill -9 of one, and it is out when its lease ends", async (t) => {
  const { url, registry } = await startGateway(t);
  const a = await startServiceProcess(t, { registry, service: "who", id: "a", ttlSeconds: 2 });
  await startServiceProcess(t, { registry, service: "who", id: "b", ttlSeconds: 2 });
  const seen = new Set<unknown>();
  await eventually(
    async () => {
      const { body, status } = await call("GET", `${url}/who`);
      if (status === 200) seen.add(body.id);
      return [...seen].sort();
    },
    (ids) => ids.length === 2,
  );

  a.process.kill("SIGKILL");
  const list = await eventually(
    () => call("GET", `${registry}/v1/services/who`),
    (reply) => idsOf(reply).length === 1,
  );
  assert.deepEqual(idsOf(list), ["b"]);
  for (let i = 0; i < 6; i++) assert.equal((await call("GET", `${url}/who`)).body.id, "b");
});

test("a service that is told to end takes itself out at once", async (t) => {
  const { registry } = await startGateway(t);
  const a = await startServiceProcess(t, { registry, service: "who", id: "a", ttlSeconds: 60 });
  assert.deepEqual(idsOf(await call("GET", `${registry}/v1/services/who`)), ["a"]);
  a.process.kill("SIGTERM");
  await eventually(
    () => call("GET", `${registry}/v1/services/who`),
    (reply) => idsOf(reply).length === 0,
  );
});

test("the gateway's own ports are no place for an instance", async (t) => {
  const { url, registry } = await startGateway(t);
  for (const own of [url, registry, url.replace("127.0.0.1", "0x7f.1"), url.replace("127.0.0.1", "localhost")]) {
    const { status, body } = await call("PUT", `${registry}/v1/services/who/instances/x`, { body: { url: own } });
    assert.equal(status, 422, own);
    assert.equal(body.code, "ADDRESS_REFUSED");
  }
});

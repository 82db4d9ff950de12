import assert from "node:assert/strict";
import { test } from "node:test";
import { call, idsOf, startTestRegistry } from "../support/registry.ts";

const place = (url: string, service = "pets", id = "a"): string => `${url}/v1/services/${service}/instances/${id}`;

test("an instance is registered, replaced, renewed, listed, drained and taken out", async (t) => {
  const { url } = await startTestRegistry(t);
  const body = { url: "http://127.0.0.1:9000", weight: 2, zone: "z1", tags: ["canary"], metadata: { team: "pets" } };
  assert.equal((await call("PUT", place(url), { body })).status, 201);
  assert.equal((await call("PUT", place(url), { body })).status, 200);
  assert.equal((await call("PUT", `${place(url)}/renew`)).status, 204);
  assert.equal((await call("PUT", `${place(url)}/status`, { body: { status: "draining" } })).status, 204);
  const listed = await call("GET", `${url}/v1/services/pets`);
  assert.equal(listed.body.instances?.[0]?.status, "draining");
  assert.equal(listed.body.instances?.[0]?.weight, 2);
  assert.equal(listed.headers.get("x-portico-index"), String(listed.body.index));
  const services = (await call("GET", `${url}/v1/services`)).body.services as Record<string, { up: number }>;
  assert.equal(services.pets?.up, 0);
  assert.equal((await call("DELETE", place(url))).status, 204);
  assert.deepEqual(idsOf(await call("GET", `${url}/v1/services/pets`)), []);
});

test("a lease that is gone answers a heartbeat with 404, so that the service registers again", async (t) => {
  const { url } = await startTestRegistry(t);
  const { status, body } = await call("PUT", `${place(url)}/renew`);
  assert.equal(status, 404);
  assert.equal(body.code, "INSTANCE_UNKNOWN");
});

test("a heartbeat of an earlier registration is inert", async (t) => {
  const { url } = await startTestRegistry(t);
  const first = await call("PUT", place(url), { body: { url: "http://127.0.0.1:9000" } });
  const second = await call("PUT", place(url), { body: { url: "http://127.0.0.1:9001" } });
  assert.equal((await call("PUT", `${place(url)}/renew?lease=${first.body.lease}`)).status, 404);
  assert.equal((await call("PUT", `${place(url)}/renew?lease=${second.body.lease}`)).status, 204);
});

const malformed: [string, unknown, string][] = [
  ["no url", {}, "/url"],
  ["another scheme", { url: "ftp://127.0.0.1" }, "/url"],
  ["credentials in the url", { url: "http://user:pass@127.0.0.1" }, "/url"],
  ["a negative weight", { url: "http://127.0.0.1:1", weight: -1 }, "/weight"],
  ["a lease without end", { url: "http://127.0.0.1:1", ttlSeconds: 1e9 }, "/ttlSeconds"],
  ["CRLF in metadata", { url: "http://127.0.0.1:1", metadata: { a: "x\r\nSet-Cookie: y" } }, "/metadata/a"],
  ["metadata that is not text", { url: "http://127.0.0.1:1", metadata: { a: 1 } }, "/metadata/a"],
  ["a key that is not one", { url: "http://127.0.0.1:1", ttl: 5 }, "/ttl"],
  ["a status that is not one", { url: "http://127.0.0.1:1", status: "asleep" }, "/status"],
];
for (const [what, body, pointer] of malformed) {
  test(`a registration with ${what} is refused with a pointer`, async (t) => {
    const { url } = await startTestRegistry(t);
    const reply = await call("PUT", place(url), { body });
    assert.equal(reply.status, 400);
    const violations = reply.body.violations as { pointer: string }[];
    assert.ok(
      violations.some((violation) => violation.pointer === pointer),
      JSON.stringify(violations),
    );
    assert.deepEqual(idsOf(await call("GET", `${url}/v1/services/pets`)), []);
  });
}

const refused: [string, string, Parameters<typeof call>[2], number][] = [
  ["PUT", "/v1/services/pets/instances/a", { body: "{", headers: { "content-type": "application/json" } }, 400],
  ["PUT", "/v1/services/pets/instances/a", { body: "x", headers: { "content-type": "text/plain" } }, 415],
  ["PUT", "/v1/services/pets/instances/a", { body: { url: "http://127.0.0.1:1", zone: "z".repeat(200_000) } }, 413],
  ["PUT", "/v1/services/%0d%0a/instances/a", { body: { url: "http://127.0.0.1:1" } }, 400],
  ["PUT", "/v1/services/%ff/instances/a", { body: { url: "http://127.0.0.1:1" } }, 400],
  ["POST", "/v1/services/pets", {}, 405],
  ["GET", "/v1/elsewhere", {}, 404],
  ["GET", "/v1/services/pets?wait=forever&index=1", {}, 400],
  ["GET", "/v1/services/pets?consistency=maybe", {}, 400],
];
for (const [method, path, options, status] of refused) {
  test(`${method} ${path} is answered with ${status} and a problem document`, async (t) => {
    const { url } = await startTestRegistry(t);
    const reply = await call(method, url + path, options);
    assert.equal(reply.status, status);
    assert.equal(reply.headers.get("content-type"), "application/problem+json");
  });
}

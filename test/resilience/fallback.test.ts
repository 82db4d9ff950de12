import assert from "node:assert/strict";
import { test } from "node:test";
import { startBalancedGateway } from "../support/balanced-gateway.ts";
import { startInstance } from "../support/instances.ts";

/** Nobody listens there: the port is reserved (RFC 6335) and refused on loopback. */
const NOBODY = { targets: [{ url: "http://127.0.0.1:1" }] };

test("a fixed answer stands in for a service that cannot be reached", async (t) => {
  const { url } = await startBalancedGateway(t, {
    upstream: NOBODY,
    fallback: { status: 200, headers: { "X-Degraded": "yes" }, body: { things: [] } },
  });
  const response = await fetch(`${url}/things`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("x-degraded"), "yes");
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.deepEqual(await response.json(), { things: [] });
});

test("a fallback of text is sent as it is", async (t) => {
  const { url } = await startBalancedGateway(t, { upstream: NOBODY, fallback: { status: 503, body: "later" } });
  const response = await fetch(`${url}/things`);
  assert.equal(response.status, 503);
  assert.match(response.headers.get("content-type") ?? "", /^text\/plain/);
  assert.equal(await response.text(), "later");
});

test("a mock answers with the example of the API description", async (t) => {
  const { url } = await startBalancedGateway(t, { upstream: NOBODY, fallback: { mock: true } });
  assert.deepEqual(await (await fetch(`${url}/things`)).json(), { from: "the spec" });
});

test("what is the client's own fault is not covered up", async (t) => {
  const { url } = await startBalancedGateway(t, { upstream: NOBODY, fallback: { body: "fallback" } });
  assert.equal((await fetch(`${url}/elsewhere`)).status, 404);
});

test("answers that it is told to replace are replaced, others are not", async (t) => {
  const instance = await startInstance(t, "one");
  const { url } = await startBalancedGateway(t, {
    upstream: { targets: [{ url: instance.url }] },
    fallback: { body: "fallback", statuses: [500] },
  });
  assert.deepEqual(await (await fetch(`${url}/things`)).json(), { instance: "one" });
  await instance.behave({ mode: "fail" });
  assert.equal(await (await fetch(`${url}/things`)).text(), "fallback");
  await instance.behave({ mode: "fail", status: 502 });
  assert.equal((await fetch(`${url}/things`)).status, 502);
});

test("a stale stored answer comes before the fallback", async (t) => {
  const instance = await startInstance(t, "one");
  await instance.behave({ headers: { "cache-control": "max-age=0, stale-if-error=60" } });
  const { url } = await startBalancedGateway(t, {
    upstream: { targets: [{ url: instance.url }] },
    fallback: { body: "fallback" },
    cache: { mode: "standard" },
  });
  assert.deepEqual(await (await fetch(`${url}/things`)).json(), { instance: "one" });
  await instance.kill("SIGKILL");
  assert.deepEqual(await (await fetch(`${url}/things`)).json(), { instance: "one" });
  assert.equal(await (await fetch(`${url}/things/unseen`)).text(), "fallback");
});

test("without a fallback a service that cannot be reached is a 502, and one without an instance a 503 that says so", async (t) => {
  const { url } = await startBalancedGateway(t, { upstream: NOBODY });
  const unreachable = await fetch(`${url}/things`);
  assert.equal(unreachable.status, 502);
  assert.equal(((await unreachable.json()) as { code: string }).code, "UPSTREAM_UNREACHABLE");
  const { url: empty } = await startBalancedGateway(t, {
    upstream: { targets: [{ url: "http://127.0.0.1:1", weight: 0 }] },
  });
  const none = await fetch(`${empty}/things`);
  assert.equal(none.status, 503);
  assert.equal(((await none.json()) as { code: string }).code, "NO_INSTANCE");
});

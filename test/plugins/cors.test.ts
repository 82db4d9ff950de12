import assert from "node:assert/strict";
import { test } from "node:test";
import { startPluginGateway } from "../support/plugin-gateway.ts";

const app = "https://app.example.com";
const preflight = (url: string, origin = app, method = "POST"): Promise<Response> =>
  fetch(url, {
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": method, "access-control-request-headers": "content-type" },
  });

test("a preflight is answered from the operations of the spec and never reaches the service", async (t) => {
  const { url, seen } = await startPluginGateway(t, [{ cors: { origins: [app] } }]);
  const answer = await preflight(`${url}/things`);
  assert.equal(answer.status, 204);
  assert.equal(answer.headers.get("access-control-allow-origin"), app);
  assert.equal(answer.headers.get("access-control-allow-methods"), "GET, HEAD, OPTIONS, POST");
  assert.equal(answer.headers.get("access-control-allow-headers"), "content-type");
  assert.equal(answer.headers.get("access-control-max-age"), "600");
  assert.deepEqual(seen, []);
});

test("a preflight needs no credentials where the operation does", async (t) => {
  const { url } = await startPluginGateway(t, ["cors", { "ip-filter": { deny: ["127.0.0.0/8"] } }]);
  assert.equal((await preflight(`${url}/things`)).status, 204);
  assert.equal((await fetch(`${url}/things`)).status, 403);
});

test("another origin gets no permission, neither before nor with the answer", async (t) => {
  const { url } = await startPluginGateway(t, [{ cors: { origins: [app] } }]);
  const evil = "https://app.example.com.evil.test";
  assert.equal((await preflight(`${url}/things`, evil)).headers.get("access-control-allow-origin"), null);
  const answer = await fetch(`${url}/things`, { headers: { origin: evil } });
  assert.equal(answer.headers.get("access-control-allow-origin"), null);
  assert.equal(answer.headers.get("vary"), "Origin");
});

test("a wildcard stands for subdomains alone", async (t) => {
  const { url } = await startPluginGateway(t, [{ cors: { origins: ["https://*.example.com"] } }]);
  const allowed = async (origin: string): Promise<boolean> =>
    (await fetch(`${url}/things`, { headers: { origin } })).headers.has("access-control-allow-origin");
  assert.equal(await allowed("https://a.b.example.com"), true);
  assert.equal(await allowed("https://example.com"), false);
  assert.equal(await allowed("https://evil.test/.example.com"), false);
  assert.equal(await allowed("http://a.example.com"), false);
});

test("a page may read a refusal, too", async (t) => {
  const { url } = await startPluginGateway(t, [{ cors: {} }, { "rate-limit": { rate: "1/h" } }]);
  await fetch(`${url}/things`, { headers: { origin: app } });
  const refused = await fetch(`${url}/things`, { headers: { origin: app } });
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get("access-control-allow-origin"), "*");
  assert.match(String(refused.headers.get("access-control-expose-headers")), /Retry-After/);
});

test("credentials for everybody is refused at start", async (t) => {
  await assert.rejects(startPluginGateway(t, [{ cors: { credentials: true } }]), /list of origins/);
});

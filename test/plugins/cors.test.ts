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

test("what is no origin keeps the gateway from starting: it would never match, or match anybody", async (t) => {
  for (const origin of [
    "null",
    "app.example.com",
    "https://app.example.com/",
    "https://app.example.com:443",
    "https://App.example.com",
    "https://*.example.com/",
    "https://*example.com",
    "https://*",
    "*.example.com",
  ]) {
    await assert.rejects(startPluginGateway(t, [{ cors: { origins: [origin] } }]), /is not an origin/, origin);
  }
});

test("origins of apps, addresses and other ports are origins; null is none of them", async (t) => {
  const origins = [
    "https://[::1]:3000",
    "http://127.0.0.1:8080",
    "capacitor://localhost",
    "https://*.example.com:8443",
  ];
  const { url } = await startPluginGateway(t, [{ cors: { origins, credentials: true } }]);
  const allowed = async (origin: string): Promise<string | null> => {
    const { headers } = await fetch(`${url}/things`, { headers: { origin } });
    assert.equal(headers.get("vary"), "Origin");
    assert.equal(
      headers.get("access-control-allow-credentials"),
      headers.has("access-control-allow-origin") ? "true" : null,
    );
    return headers.get("access-control-allow-origin");
  };
  for (const origin of [...origins.slice(0, 3), "https://a.example.com:8443"])
    assert.equal(await allowed(origin), origin);
  for (const origin of ["null", "https://a.example.com", "http://127.0.0.1", "https://a.example.com:8443.evil.test"]) {
    assert.equal(await allowed(origin), null, origin);
  }
});

test("a private network is opened to those who ask for it, where the options say so", async (t) => {
  const ask = async (options: object, fields: Record<string, string>): Promise<string | null> => {
    const { url } = await startPluginGateway(t, [{ cors: { origins: [app], ...options } }]);
    const headers = { origin: app, "access-control-request-method": "GET", ...fields };
    const answer = await fetch(`${url}/things`, { method: "OPTIONS", headers });
    return answer.headers.get("access-control-allow-private-network");
  };
  const asks = { "access-control-request-private-network": "true" };
  assert.equal(await ask({ privateNetwork: true }, asks), "true");
  assert.equal(await ask({ privateNetwork: true }, {}), null);
  assert.equal(await ask({}, asks), null);
  assert.equal(await ask({ privateNetwork: true }, { ...asks, origin: "https://evil.test" }), null);
});

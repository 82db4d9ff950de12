import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { type RequestOptions, request } from "node:https";
import { type TestContext, test } from "node:test";
import type { PorticoOptions } from "../../src/config/schema.ts";
import { type Certificate, createAuthority, missingOpenssl } from "../support/certificates.ts";
import { startSecuredGateway } from "../support/secured-gateway.ts";

const skip = missingOpenssl() ?? false;
const authority = skip === false ? createAuthority() : undefined;
const ca = authority?.ca ?? "";
const issue = (name: string): Certificate =>
  (authority ?? createAuthority()).issue(name, `DNS:${name}.example,URI:spiffe://example/${name}`);

/** A gateway whose own TLS listener asks for client certificates of the authority. */
async function start(t: TestContext, mtls: object, listen: NonNullable<PorticoOptions["listen"]> = {}) {
  const server = authority?.issue("localhost", "DNS:localhost,IP:127.0.0.1") as Certificate;
  const files = { "server.pem": server.cert, "server.key": server.key, "clients.pem": ca };
  const tls = { cert: "server.pem", key: "server.key", clientCa: "clients.pem", ...listen.tls };
  const options = { listen: { ...listen, tls } };
  return startSecuredGateway(t, [{ mutual: [] }], { security: { mutual: { mtls } } }, { files, options });
}

async function get(
  url: string,
  options: RequestOptions,
): Promise<{ status: number | undefined; challenge: string | undefined; code: string | undefined }> {
  const sent = request(`${url}/things`, { ca, agent: false, ...options }).end();
  const [response] = await once(sent, "response");
  const text = (await response.setEncoding("utf8").toArray()).join("");
  const code = text.startsWith("{") ? (JSON.parse(text) as { code: string }).code : undefined;
  return { status: response.statusCode, challenge: response.headers["www-authenticate"], code };
}

test("a client certificate names the consumer to the service, over the gateway's own listener", { skip }, async (t) => {
  const gateway = await start(t, { consumers: { "dns:ada.example": "ada" } });
  assert.equal((await get(gateway.url, issue("ada"))).status, 200);
  assert.equal(gateway.seen[0]?.headers["x-consumer-name"], "ada");
  const bob = await get(gateway.url, issue("bob"));
  assert.deepEqual([bob.status, bob.code], [401, "CREDENTIALS_INVALID"]);
  const nobody = await get(gateway.url, {});
  assert.deepEqual([nobody.status, nobody.code, nobody.challenge], [401, "CREDENTIALS_MISSING", undefined]);
  assert.equal(gateway.seen.length, 1);
});

test("a certificate of another authority, with the same names, is nobody", { skip }, async (t) => {
  const gateway = await start(t, {});
  const forged = await get(gateway.url, createAuthority().issue("ada", "DNS:ada.example"));
  assert.deepEqual([forged.status, forged.code], [401, "CREDENTIALS_MISSING"]);
  assert.equal(gateway.seen.length, 0);
});

test("HTTP/2 knows the certificate, too", { skip }, async (t) => {
  const gateway = await start(t, {}, { http2: true });
  const session = connectHttp2(gateway.url, { ca, ...issue("ada") });
  t.after(() => session.destroy());
  const stream = session.request({ ":path": "/things" });
  const [headers] = await once(stream, "response");
  stream.resume();
  assert.equal(headers[":status"], 200);
  assert.equal(gateway.seen[0]?.headers["x-consumer-name"], "ada");
});

test("where certificates are required, who shows none of the authority gets no connection", { skip }, async (t) => {
  const listen = { tls: { clientCertificates: "required" } } as unknown as NonNullable<PorticoOptions["listen"]>;
  const gateway = await start(t, {}, listen);
  assert.equal((await get(gateway.url, issue("ada"))).status, 200);
  for (const client of [{}, createAuthority().issue("ada", "DNS:ada.example")]) {
    await assert.rejects(get(gateway.url, client), /certificate|ECONNRESET|socket hang up/i);
  }
  assert.equal(gateway.seen.length, 1);
});

const inField = (certificate: Certificate): string =>
  `:${new X509Certificate(certificate.cert).raw.toString("base64")}:`;

test("a field that tells of a certificate counts for nothing, and reaches no service", { skip }, async (t) => {
  const gateway = await start(t, {});
  const ada = issue("ada");
  const forged = {
    "Client-Cert": inField(ada),
    "X-Client-Cert": encodeURIComponent(ada.cert),
    "X-SSL-Client-Cert": encodeURIComponent(ada.cert),
    "X-Forwarded-Client-Cert": 'Subject="CN=ada"',
    "X-Consumer-Name": "ada",
  };
  assert.equal((await get(gateway.url, { headers: forged })).code, "CREDENTIALS_MISSING");
  assert.equal((await get(gateway.url, { ...issue("bob"), headers: forged })).status, 200);
  const headers = gateway.seen[0]?.headers ?? {};
  assert.equal(headers["x-consumer-name"], "bob");
  for (const name of Object.keys(forged).slice(0, 4)) assert.equal(headers[name.toLowerCase()], undefined, name);
});

test("from a proxy that ends TLS, Client-Cert names the consumer; from another peer it does not", {
  skip,
}, async (t) => {
  const field = { "Client-Cert": inField(issue("ada")) };
  const trusting = await start(t, { proxies: ["127.0.0.0/8"], consumers: { "uri:spiffe://example/ada": "ada" } });
  assert.equal((await get(trusting.url, { headers: field })).status, 200);
  assert.equal(trusting.seen[0]?.headers["x-consumer-name"], "ada");
  // The proxy's own certificate is not its client's.
  assert.equal((await get(trusting.url, issue("ada"))).code, "CREDENTIALS_MISSING");
  assert.equal((await get(trusting.url, { headers: { "Client-Cert": ":bm9uc2Vuc2U=:" } })).status, 401);
  const other = await start(t, { proxies: ["192.0.2.0/24"] });
  assert.equal((await get(other.url, { headers: field })).code, "CREDENTIALS_MISSING");
});

test("clientCertificates without clientCa keeps the gateway from starting", { skip }, async (t) => {
  const listen = { tls: { clientCertificates: "required", clientCa: undefined } };
  await assert.rejects(start(t, {}, listen as unknown as NonNullable<PorticoOptions["listen"]>), /needs clientCa/);
});

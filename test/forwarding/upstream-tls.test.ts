import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createSecureServer } from "node:http2";
import { createServer, type Server } from "node:https";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { TLSSocket } from "node:tls";
import { createAuthority, missingOpenssl } from "../support/certificates.ts";
import { sendRaw } from "../support/raw.ts";
import { startRawGateway } from "../support/raw-gateway.ts";

const skip = missingOpenssl() ?? false;
const GET = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

interface Secured {
  readonly url: string;
  /** Name asked for, and whether the client's certificate was good, of each request. */
  readonly seen: [string, boolean][];
  readonly files: { readonly ca: string; readonly cert: string; readonly key: string; readonly otherCa: string };
}

/** A service that wants a certificate of its client, named orders.internal by an authority of its own. */
async function startSecured(t: TestContext): Promise<Secured> {
  const authority = createAuthority();
  const own = authority.issue("orders.internal", "DNS:orders.internal");
  const client = authority.issue("portico", "DNS:portico");
  const folder = mkdtempSync(join(tmpdir(), "portico-upstream-tls-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const seen: [string, boolean][] = [];
  const server: Server = createServer({ ...own, ca: authority.ca, requestCert: true }, (request, response) => {
    const socket = request.socket as TLSSocket & { servername?: string };
    seen.push([String(socket.servername), socket.authorized]);
    response.end("secured");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    files: {
      ca: write("ca.pem", authority.ca),
      cert: write("client.pem", client.cert),
      key: write("client.key", client.key),
      otherCa: write("other.pem", createAuthority().ca),
    },
  };
}

const routeTo = (url: string, upstreamTls: object) => ({
  upstream: { targets: [{ url }] },
  upstreamTls,
  retries: { attempts: 0 },
  // A handshake on a busy machine takes its time.
  timeouts: { connectMs: 20_000 },
});

test("a service is reached by its own name, under its own authority, with a client certificate", {
  skip,
}, async (t) => {
  const { url, seen, files } = await startSecured(t);
  const { ca, cert, key } = files;
  const { base } = await startRawGateway(t, { route: routeTo(url, { ca, cert, key, serverName: "orders.internal" }) });
  const { statuses, text } = await sendRaw(base, GET + GET, { answers: 2 });
  assert.deepEqual(statuses, [200, 200]);
  assert.match(text, /secured/);
  assert.deepEqual(seen, [
    ["orders.internal", true],
    ["orders.internal", true],
  ]);
});

for (const [what, choose] of [
  ["of another authority", (files: Secured["files"]) => ({ ca: files.otherCa, serverName: "orders.internal" })],
  ["that only its own authority knows", () => ({ serverName: "orders.internal" })],
  ["for another name", (files: Secured["files"]) => ({ ca: files.ca, serverName: "pets.internal" })],
  ["that does not name its address", (files: Secured["files"]) => ({ ca: files.ca })],
] as const) {
  test(`a service with a certificate ${what} is sent nothing`, { skip }, async (t) => {
    const { url, seen, files } = await startSecured(t);
    const { base } = await startRawGateway(t, { route: routeTo(url, choose(files)) });
    const { statuses, text } = await sendRaw(base, GET, { answers: 1 });
    assert.deepEqual(statuses, [502]);
    assert.match(text, /"code":"UPSTREAM_UNREACHABLE"/);
    assert.match(text, /Proxy-Status: portico; error=tls_certificate_error/i);
    assert.deepEqual(seen, []);
  });
}

test("upstreamHttp2 speaks HTTP/2 to who offers it, with bodies both ways", { skip }, async (t) => {
  const authority = createAuthority();
  const folder = mkdtempSync(join(tmpdir(), "portico-upstream-h2-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "ca.pem"), authority.ca);
  const versions: string[] = [];
  const server = createSecureServer(authority.issue("h2", "IP:127.0.0.1"), (request, response) => {
    versions.push(request.httpVersion);
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => response.end(`${request.method} ${request.url} ${body}`));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { base } = await startRawGateway(t, {
    route: { ...routeTo(url, { ca: join(folder, "ca.pem") }), upstreamHttp2: true },
  });
  const methods = ["POST", "PUT", "DELETE"];
  const asked = methods.map((method) => `${method} /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello`);
  const { statuses, text } = await sendRaw(base, GET + asked.join(""), { answers: 4 });
  assert.deepEqual(statuses, [200, 200, 200, 200]);
  assert.match(text, /GET \/a /);
  for (const method of methods) assert.ok(text.includes(`${method} /a hello`), method);
  assert.deepEqual(versions, ["2.0", "2.0", "2.0", "2.0"]);
});

/** It accepts connections and says nothing: no handshake ends. */
async function startSilent(t: TestContext): Promise<string> {
  const server = createTcpServer((socket) => {
    socket.on("error", () => {});
    t.after(() => socket.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("a connection that does not come about in time is answered UPSTREAM_CONNECT_TIMEOUT", async (t) => {
  const route = { ...routeTo(await startSilent(t), {}), timeouts: { connectMs: 100 } };
  const { base } = await startRawGateway(t, { route });
  const { statuses, text } = await sendRaw(base, GET, { answers: 1 });
  assert.deepEqual(statuses, [504]);
  assert.match(text, /"code":"UPSTREAM_CONNECT_TIMEOUT"/);
  assert.match(text, /Proxy-Status: portico; error=connection_timeout/i);
});

test("totalMs ends the wait for a connection, too", async (t) => {
  const route = { ...routeTo(await startSilent(t), {}), timeouts: { connectMs: 600_000, totalMs: 100 } };
  const { base } = await startRawGateway(t, { route });
  const { statuses, text } = await sendRaw(base, GET, { answers: 1 });
  assert.deepEqual(statuses, [504]);
  assert.match(text, /"code":"UPSTREAM_TIMEOUT"/);
});

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { type ClientHttp2Session, connect as connectHttp2, constants, type OutgoingHttpHeaders } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { until } from "../support/load.ts";
import { sendRaw } from "../support/raw.ts";
import { startRawGateway } from "../support/raw-gateway.ts";

const folder = mkdtempSync(join(tmpdir(), "portico-tls-"));
after(() => rmSync(folder, { recursive: true, force: true }));
function certify(name: string): { cert: string; key: string } {
  const [cert, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name},IP:127.0.0.1`];
  const made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  execFileSync("openssl", [...made, ...subject, "-keyout", key, "-out", cert], { stdio: "ignore" });
  return { cert, key };
}
const main = certify("main.test");
const other = certify("other.test");

async function nameOf(base: string, servername: string): Promise<string> {
  const socket: TLSSocket = connectTls({
    port: Number(new URL(base).port),
    host: "127.0.0.1",
    servername,
    rejectUnauthorized: false,
  });
  await once(socket, "secureConnect");
  const name = String(socket.getPeerCertificate().subject.CN);
  socket.destroy();
  return name;
}

async function ask(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body?: string,
): Promise<{ status: number; text: string; rst: number }> {
  const stream = session.request(headers, { endStream: body === undefined });
  let status = 0;
  let text = "";
  stream.on("response", (fields) => {
    status = Number(fields[":status"]);
  });
  stream.on("data", (chunk) => {
    text += String(chunk);
  });
  stream.on("error", () => {});
  if (body !== undefined) stream.end(body);
  await new Promise((resolve) => stream.once("close", resolve));
  return { status, text, rst: stream.rstCode ?? 0 };
}

test("each host is shown its own certificate, and a changed file without a restart", async (t) => {
  const own = certify("changing.test");
  const tls = { ...own, sni: [{ hosts: ["other.test"], ...other }] };
  const { base } = await startRawGateway(t, { options: { listen: { tls } } });
  assert.match(base, /^https:/);
  assert.equal(await nameOf(base, "other.test"), "other.test");
  assert.equal(await nameOf(base, "any.test"), "changing.test");
  copyFileSync(main.cert, own.cert);
  copyFileSync(main.key, own.key);
  await until("the new certificate", async () => (await nameOf(base, "any.test")) === "main.test");
});

test("HTTP/2 and HTTP/1.1 are served on one port, and go to the upstream alike", async (t) => {
  const { base, upstream } = await startRawGateway(t, { options: { listen: { tls: main, http2: true } } });
  const session = connectHttp2(base, { rejectUnauthorized: false });
  t.after(() => session.destroy());
  const got = await ask(session, { ":path": "/a?b", cookie: ["x=1", "y=2"] });
  assert.deepEqual([got.status, got.text], [200, "OK"]);
  assert.match(upstream.requests[0] ?? "", /^GET \/a\?b HTTP\/1\.1\r\n/);
  assert.match(upstream.requests[0] ?? "", /\r\ncookie: x=1; y=2\r\n/i);
  assert.match(upstream.requests[0] ?? "", /\r\nX-Forwarded-Proto: https\r\n/i);
  const posted = await ask(session, { ":path": "/a", ":method": "POST" }, "hello");
  assert.equal(posted.status, 200);
  assert.match(upstream.requests[1] ?? "", /hello/);
  const socket = connectTls({
    port: Number(new URL(base).port),
    host: "127.0.0.1",
    rejectUnauthorized: false,
    ALPNProtocols: ["http/1.1"],
  });
  socket.write("GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
});

test("what HTTP/2 must not carry into HTTP/1 does not reach the upstream", async (t) => {
  const { base, upstream } = await startRawGateway(t, { options: { listen: { tls: main, http2: true } } });
  const session = connectHttp2(base, { rejectUnauthorized: false });
  t.after(() => session.destroy());
  session.on("error", () => {});
  const refused: OutgoingHttpHeaders[] = [
    { ":path": "/a", ":authority": "a", host: "other.test" },
    { ":path": "/a b" },
    { ":path": "/a#b" },
    { ":path": "/a\\b" },
    { ":path": "/a", content_length: "5" },
    { ":path": "/a", ":authority": "u@a" },
    { ":method": "TRACE", ":path": "/a" },
  ];
  for (const headers of refused) {
    const { status, rst } = await ask(session, headers);
    assert.ok(rst !== 0 || (status >= 400 && status < 600), JSON.stringify([headers, status, rst]));
  }
  assert.equal(upstream.requests.length, 0);
});

test("a client that opens streams only to reset them is sent away, and others are not troubled", async (t) => {
  const { base } = await startRawGateway(t, { options: { listen: { tls: main, http2: true } } });
  const attacker = connectHttp2(base, { rejectUnauthorized: false });
  attacker.on("error", () => {});
  let isGone = false;
  attacker.on("close", () => {
    isGone = true;
  });
  await once(attacker, "connect");
  await until("the attacker is gone", () => {
    for (let i = 0; i < 20 && !attacker.destroyed && !attacker.closed; i++) {
      const stream = attacker.request({ ":path": "/a" });
      stream.on("error", () => {});
      stream.close(constants.NGHTTP2_CANCEL);
    }
    return isGone || attacker.closed || attacker.destroyed;
  });
  const session = connectHttp2(base, { rejectUnauthorized: false });
  t.after(() => session.destroy());
  assert.equal((await ask(session, { ":path": "/a" })).status, 200);
});

test("plain HTTP is sent to the same place under https, and never to a place of the client's making", async (t) => {
  const redirectFrom = 20_000 + (process.pid % 20_000);
  const { base } = await startRawGateway(t, { options: { listen: { tls: main, redirectFrom } } });
  const plain = `http://127.0.0.1:${redirectFrom}`;
  const { text, statuses } = await sendRaw(plain, "GET /a?b=%0d%0aX:y HTTP/1.1\r\nHost: a:80\r\n\r\n");
  assert.deepEqual(statuses, [308]);
  assert.ok(text.includes(`\r\nLocation: https://a:${new URL(base).port}/a?b=%0d%0aX:y\r\n`), text);
  const refused = await sendRaw(plain, "GET /a HTTP/1.1\r\nHost: a@evil.example/\r\n\r\n");
  assert.deepEqual(refused.statuses, [400]);
});

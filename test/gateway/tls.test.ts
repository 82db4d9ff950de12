import assert from "node:assert/strict";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { type ClientHttp2Session, connect as connectHttp2, type OutgoingHttpHeaders } from "node:http2";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { ConfigError } from "../../src/config/problem.ts";
import { createGateway } from "../../src/gateway/gateway.ts";
import { certify } from "../support/certificate-files.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { until } from "../support/load.ts";
import { answerOk, sendRaw } from "../support/raw.ts";
import { startRawGateway } from "../support/raw-gateway.ts";

const folder = mkdtempSync(join(tmpdir(), "portico-tls-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const main = certify(folder, "main.test");
const other = certify(folder, "other.test");

const wrong: [string, { cert: string; key: string }, RegExp][] = [
  ["a certificate that is not there", { ...main, cert: "no.pem" }, /listen\.tls\.cert is "no\.pem"; it cannot be read/],
  ["a key that is none", { ...main, key: main.cert }, /listen\.tls\.key is .*; it holds no private key/],
  ["a certificate that is none", { ...main, cert: main.key }, /listen\.tls\.cert is .*; it holds no certificate/],
  ["the key of another certificate", { ...main, key: other.key }, /listen\.tls\.key is .*; it is not the key/],
];
for (const [what, tls, message] of wrong) {
  test(`${what} is told at the start, like every mistake of a configuration`, async () => {
    await assert.rejects(createGateway({ folder, options: { listen: { tls } }, routes: [] }), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, message);
      return true;
    });
  });
}

test("HTTP/2 and a redirect to https are refused without a certificate", async () => {
  const options = { listen: { http2: true, redirectFrom: 0 } };
  await assert.rejects(createGateway({ folder, options, routes: [] }), (error) => {
    assert.match(String(error), /listen\.http2 needs listen\.tls[\s\S]*listen\.redirectFrom needs listen\.tls/);
    return true;
  });
});

async function nameOf(base: string, servername?: string): Promise<string> {
  const socket: TLSSocket = connectTls({
    port: Number(new URL(base).port),
    host: "127.0.0.1",
    ...(servername !== undefined && { servername }),
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
  const own = certify(folder, "changing.test");
  const tls = { ...own, sni: [{ hosts: ["other.test"], ...other }] };
  const { base } = await startRawGateway(t, { options: { listen: { tls } } });
  assert.match(base, /^https:/);
  assert.equal(await nameOf(base, "other.test"), "other.test");
  assert.equal(await nameOf(base, "any.test"), "changing.test");
  copyFileSync(main.cert, own.cert);
  copyFileSync(main.key, own.key);
  await until("the new certificate", async () => (await nameOf(base, "any.test")) === "main.test");
  assert.equal(await nameOf(base), "main.test", "who connects to an address names no host");
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

test("interim answers reach a client over HTTP/2", async (t) => {
  const { base } = await startRawGateway(t, {
    options: { listen: { tls: main, http2: true } },
    answer: (_request, socket) =>
      socket.write(
        "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n" +
          "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
      ),
  });
  const session = connectHttp2(base, { rejectUnauthorized: false });
  t.after(() => session.destroy());
  const stream = session.request({ ":path": "/a" });
  const told: unknown[] = [];
  stream.on("headers", (fields) => told.push([fields[":status"], fields.link]));
  stream.on("response", (fields) => told.push(fields[":status"]));
  stream.resume();
  await new Promise((resolve) => stream.once("close", resolve));
  assert.deepEqual(told, [[102, undefined], [103, "</a.css>; rel=preload"], 200]);
});

test("clients that stall or stay idle are let go over TLS, too; an HTTP/2 session is not idle like a connection", async (t) => {
  const limits = { bodyIdleSeconds: 0.5, keepAliveSeconds: 0.5 };
  const { base } = await startRawGateway(t, { options: { listen: { tls: main, http2: true }, limits } });
  const session = connectHttp2(base, { rejectUnauthorized: false });
  t.after(() => session.destroy());
  assert.equal((await ask(session, { ":path": "/a" })).status, 200);
  const open = { port: Number(new URL(base).port), host: "127.0.0.1", rejectUnauthorized: false };
  for (const [request, answer] of [
    ["GET /a HTTP/1.1\r\nHost: a\r\n\r\n", /^HTTP\/1\.1 200 OK\r\n/],
    ["POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx", /^HTTP\/1\.1 408 /],
  ] as const) {
    const socket = connectTls(open);
    socket.write(request);
    let text = "";
    for await (const chunk of socket) text += String(chunk);
    assert.match(text, answer);
  }
  assert.equal((await ask(session, { ":path": "/a" })).status, 200);
});

/** What a client of HTTP/2 sends instead of a request. */
const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
/** HEADERS of one field, `:method: GET`, and without END_HEADERS. */
const HALF_HEAD = Buffer.from([0, 0, 1, 1, 1, 0, 0, 0, 1, 0x82]);
const unasked: [string, Buffer][] = [
  ["nothing", Buffer.alloc(0)],
  ["half a preface", Buffer.from(PREFACE.slice(0, 16))],
  ["a preface", Buffer.concat([Buffer.from(PREFACE), SETTINGS])],
  ["half a header block", Buffer.concat([Buffer.from(PREFACE), SETTINGS, HALF_HEAD])],
];
for (const [what, bytes] of unasked) {
  test(`a session of HTTP/2 that asks for nothing but sends ${what} ends when its header time is up`, async (t) => {
    const options = { listen: { tls: main, http2: true }, limits: { headerSeconds: 0.4 } };
    const { base } = await startRawGateway(t, { options });
    const port = Number(new URL(base).port);
    const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["h2"] });
    t.after(() => socket.destroy());
    socket.on("error", () => {});
    socket.write(bytes);
    socket.resume();
    const sinceMs = performance.now();
    await once(socket, "close");
    assert.ok(performance.now() - sinceMs < 3_000);
  });
}

test("who has asked for nothing does not keep a gateway from ending", async (t) => {
  const redirectFrom = await freePort();
  const { base, gateway } = await startRawGateway(t, { options: { listen: { tls: main, http2: true, redirectFrom } } });
  const plain = connect(redirectFrom, "127.0.0.1");
  plain.write("GET /a HTTP/1.1\r\n");
  const port = Number(new URL(base).port);
  const secure = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["h2"] });
  secure.resume();
  await once(secure, "secureConnect");
  const closed = [plain, secure].map((socket) => {
    t.after(() => socket.destroy());
    socket.on("error", () => {});
    return new Promise((resolve) => socket.once("close", resolve));
  });
  const sinceMs = performance.now();
  await gateway.close();
  plain.resume();
  await Promise.all(closed);
  assert.ok(performance.now() - sinceMs < 3_000);
});

for (const [what, listen] of [
  ["HTTPS", { tls: main }],
  ["HTTP/2", { tls: main, http2: true }],
] as const) {
  test(`who never finishes a handshake does not keep a gateway of ${what} from ending, nor is a request lost with it`, async (t) => {
    const held: Socket[] = [];
    const { base, gateway, upstream } = await startRawGateway(t, {
      options: { listen },
      answer: (_request, socket) => held.push(socket),
    });
    let accepted = 0;
    gateway.server.on("connection", () => accepted++);
    const { port } = new URL(base);
    const asking = connectTls({ port: Number(port), host: "127.0.0.1", rejectUnauthorized: false });
    await once(asking, "secureConnect");
    const answered = sendRaw(asking, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    await eventually("the request", () => upstream.requests[0]);
    // The first says nothing; the second begins a record of 512 bytes.
    const unsecured = ["", "\x16\x03\x01\x02\0\x01"].map((bytes) => {
      const socket = connect(Number(port), "127.0.0.1");
      t.after(() => socket.destroy());
      socket.on("error", () => {});
      socket.write(bytes, "latin1");
      return socket.resume();
    });
    await eventually("all connections", () => accepted === 3);
    const closed = unsecured.map((socket) => once(socket, "close"));
    const sinceMs = performance.now();
    const ended = gateway.close();
    await Promise.all(closed);
    for (const socket of held) answerOk("", socket);
    await ended;
    assert.ok(performance.now() - sinceMs < 3_000);
    assert.deepEqual((await answered).statuses, [200]);
  });
}

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
    { ":method": "CONNECT", ":authority": "a:80" },
  ];
  for (const headers of refused) {
    const { status, rst } = await ask(session, headers);
    assert.ok(rst !== 0 || (status >= 400 && status < 600), JSON.stringify([headers, status, rst]));
  }
  assert.equal(upstream.requests.length, 0);
});

test("plain HTTP is sent to the same place under https, and never to a place of the client's making", async (t) => {
  const redirectFrom = await freePort();
  const { base } = await startRawGateway(t, { options: { listen: { tls: main, redirectFrom } } });
  const plain = `http://127.0.0.1:${redirectFrom}`;
  const { text, statuses } = await sendRaw(plain, "GET /a?b=%0d%0aX:y HTTP/1.1\r\nHost: a:80\r\n\r\n");
  assert.deepEqual(statuses, [308]);
  assert.ok(text.includes(`\r\nLocation: https://a:${new URL(base).port}/a?b=%0d%0aX:y\r\n`), text);
  const refused = await sendRaw(plain, "GET /a HTTP/1.1\r\nHost: a@evil.example/\r\n\r\n");
  assert.deepEqual(refused.statuses, [400]);
  const twice = await sendRaw(plain, "GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
  assert.deepEqual(twice.statuses, [400], "Host is held to the same rules as elsewhere");
});

test("the plain port ends who sends no headers as the other does", async (t) => {
  const redirectFrom = await freePort();
  const options = { listen: { tls: main, redirectFrom }, limits: { headerSeconds: 0.3, connections: 2 } };
  await startRawGateway(t, { options });
  const plain = `http://127.0.0.1:${redirectFrom}`;
  const slow = [sendRaw(plain, "GET /a HTTP/1.1\r\n", { quietMs: 5_000 }), sendRaw(plain, "GET", { quietMs: 5_000 })];
  await until("a connection too many", async () => {
    const { statuses } = await sendRaw(plain, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    return statuses[0] === 503;
  });
  for (const { statuses, isClosed } of await Promise.all(slow)) assert.deepEqual([statuses, isClosed], [[408], true]);
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { test } from "node:test";
import { PoolGroup } from "../../../src/forwarding/pools.ts";
import { ask } from "../../support/byte-upstream.ts";
import { missingOpenssl } from "../../support/certificates.ts";
import { eventually } from "../../support/eventually.ts";
import { FLAG, frame, TYPE, uint32 } from "../../support/http2-frames.ts";
import { startHttp2Service } from "../../support/http2-service.ts";
import { data, type FrameUpstream, head, startFrameUpstream } from "../../support/http2-upstream.ts";
import { sendRaw } from "../../support/raw.ts";
import { startRawGateway } from "../../support/raw-gateway.ts";

const skip = missingOpenssl() ?? false;
const GET = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
const END = FLAG.endStream;

test("what a request says over HTTP/1.1 is said over HTTP/2, without what is of HTTP/1.1 alone", {
  skip,
}, async (t) => {
  const service = await startHttp2Service(t, (_request, response) => response.end("OK"));
  const { base } = await startRawGateway(t, { route: service.route });
  const fields = [
    "Host: shop.test",
    "Connection: keep-alive, X-Hop, TE",
    "X-Hop: 1",
    "Keep-Alive: timeout=5",
    "Proxy-Connection: keep-alive",
    "Upgrade: h2c",
    "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
    "TE: gzip, trailers",
    "Cookie: a=1",
    "Cookie: b=2",
    'If-None-Match: "a"',
    'If-None-Match: "b"',
    "X-Many: 1",
    "X-Many: 2",
    "Content-Length: 2",
  ];
  const { statuses } = await sendRaw(base, `PUT /a?b=c HTTP/1.1\r\n${fields.join("\r\n")}\r\n\r\nhi`, { answers: 1 });
  assert.deepEqual(statuses, [200]);
  const [seen] = service.seen as [(typeof service.seen)[number]];
  const got = new Map<string, string>();
  for (let i = 0; i < seen.fields.length; i += 2) {
    const name = seen.fields[i] as string;
    assert.ok(!got.has(name), `${name} stands there once`);
    got.set(name, seen.fields[i + 1] as string);
  }
  const authority = new URL(String(service.route.upstream?.targets?.[0]?.url)).host;
  for (const [name, value] of [
    [":method", "PUT"],
    [":scheme", "https"],
    [":path", "/a?b=c"],
    [":authority", authority],
    ["te", "trailers"],
    ["cookie", "a=1; b=2"],
    ["if-none-match", '"a", "b"'],
    ["x-many", "1, 2"],
    ["content-length", "2"],
    ["x-forwarded-host", "shop.test"],
  ] as const)
    assert.equal(got.get(name), value, name);
  for (const name of [
    "host",
    "connection",
    "x-hop",
    "keep-alive",
    "proxy-connection",
    "upgrade",
    "http2-settings",
    "transfer-encoding",
  ])
    assert.ok(!got.has(name), name);
  assert.equal(seen.body, "hi");
});

test("an instance that chooses HTTP/1.1 gets it, and is not asked what it speaks each time", { skip }, async (t) => {
  const service = await startHttp2Service(t, (_request, response) => response.end("OK"), { onlyHttp1: true });
  const { base } = await startRawGateway(t, { route: service.route });
  const { statuses } = await sendRaw(base, GET + GET + GET, { answers: 3 });
  assert.deepEqual(statuses, [200, 200, 200]);
  assert.deepEqual(
    service.seen.map(({ version }) => version),
    ["1.1", "1.1", "1.1"],
  );
  assert.equal(service.sessions.opened, 0);
});

for (const [method, status] of [
  ["HEAD", "200"],
  ["GET", "204"],
  ["GET", "304"],
] as const) {
  test(`${method} answered ${status} has no body, and the client's connection goes on`, { skip }, async (t) => {
    const pairs: [string, string][] = status === "204" ? [] : [["content-length", "12"]];
    const upstream = await startFrameUpstream(t, {
      onRequest: ({ send }, stream) => send(head(stream, pairs, END, status)),
    });
    const { base } = await startRawGateway(t, { route: upstream.route });
    const { statuses, text } = await sendRaw(base, `${method} /a HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(2), {
      answers: 2,
    });
    assert.deepEqual(statuses, [Number(status), Number(status)]);
    assert.equal(/content-length: 12/i.test(text), status !== "204");
  });
}

test("a reader that does not read stops the upstream, and other streams go on", { skip }, async (t) => {
  let sent = 0;
  let isPaused = false;
  const service = await startHttp2Service(t, (request, response) => {
    if (request.url !== "/large") {
      response.end("OK");
      return;
    }
    const part = Buffer.alloc(65_536, "a");
    const pump = (): void => {
      while (sent < 64 * 1024 * 1024) {
        sent += part.length;
        if (!response.write(part)) {
          isPaused = true;
          response.once("drain", () => {
            isPaused = false;
            pump();
          });
          return;
        }
      }
      response.end();
    };
    pump();
  });
  const { base } = await startRawGateway(t, { route: service.route });
  const client = connect(Number(new URL(base).port), "127.0.0.1");
  t.after(() => client.destroy());
  await once(client, "connect");
  client.pause();
  client.write("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  let before = -1;
  await eventually("the upstream is stopped", async () => {
    const isStill = isPaused && sent === before;
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 100));
    return isStill;
  });
  assert.ok(sent < 16 * 1024 * 1024, `${sent} bytes were taken`);
  assert.deepEqual((await sendRaw(base, GET, { answers: 1 })).statuses, [200]);
  assert.equal(service.sessions.opened, 1);
});

test("an upstream that does not widen its window stops the client", { skip }, async (t) => {
  let received = 0;
  const upstream = await startFrameUpstream(t, {});
  const { base } = await startRawGateway(t, {
    route: upstream.route,
    options: { limits: { bodyBytes: "1GiB" } },
  });
  const client = connect(Number(new URL(base).port), "127.0.0.1");
  client.on("error", () => {});
  t.after(() => client.destroy());
  client.write(`POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: ${1024 * 1024 * 1024}\r\n\r\n`);
  const part = Buffer.alloc(65_536, "a");
  const pump = (): void => {
    while (received < 1024 * 1024 * 1024) {
      received += part.length;
      if (!client.write(part)) {
        client.once("drain", pump);
        return;
      }
    }
  };
  pump();
  let before = -1;
  await eventually("the client is stopped", async () => {
    const isStill = received === before && upstream.connections.length === 1;
    before = received;
    await new Promise((resolve) => setTimeout(resolve, 100));
    return isStill;
  });
  // The buffers of the system take some; the gateway takes no more than the window that it was given, and a little.
  assert.ok(received < 256 * 1024 * 1024, `${received} bytes were taken`);
});

test("an answer before its request's end is given, and the rest of the request is not sent", { skip }, async (t) => {
  const upstream = await startFrameUpstream(t, {
    onHead: ({ send }, stream) => send(head(stream, [["content-length", "2"]]), data(stream, "no", END)),
  });
  const { base } = await startRawGateway(t, { route: upstream.route });
  const chunk = "5\r\nhello\r\n";
  const { statuses, text, isClosed } = await sendRaw(
    base,
    `POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`,
  );
  assert.deepEqual([statuses, isClosed], [[200], true]);
  assert.ok(text.endsWith("\r\n\r\nno"));
  const [connection] = upstream.connections as [FrameUpstream["connections"][number]];
  await eventually("the reset", () => connection.frames.some(({ type }) => type === TYPE.rstStream));
  assert.equal(upstream.connections.length, 1);
});

test("RST_STREAM with NO_ERROR behind a whole answer takes nothing from it", { skip }, async (t) => {
  const text = "b".repeat(15_000);
  const upstream = await startFrameUpstream(t, {
    onHead: ({ send }, stream) =>
      send(
        head(stream),
        data(stream, text),
        data(stream, text, END),
        frame(TYPE.rstStream, FLAG.none, stream, uint32(0)),
      ),
  });
  const { base } = await startRawGateway(t, { route: upstream.route });
  const answer = await sendRaw(base, "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  assert.deepEqual(answer.statuses, [200]);
  assert.ok(answer.text.includes(text + text));
});

test("a session that gives no sign of life is ended", { skip }, async (t) => {
  const upstream = await startFrameUpstream(t, { answersPings: false });
  const ca = readFileSync(String(upstream.route.upstreamTls?.ca));
  const group = new PoolGroup({ http2: true, connectMs: 20_000, tls: { ca, serverName: undefined } });
  t.after(() => group.destroy());
  const pool = group.of(upstream.url);
  const lost = ask(group, upstream.url);
  const nowMs = performance.now();
  await eventually("the request", () => upstream.requests.length === 1);
  pool.sweep(nowMs + 60_000);
  pool.sweep(nowMs + 69_000);
  assert.equal(pool.isIdle, false);
  pool.sweep(nowMs + 71_000);
  await assert.rejects(lost, { fault: "broken" });
  assert.equal(pool.isIdle, true);
});

test("a session that is idle is closed, and the next request opens another", { skip }, async (t) => {
  const upstream = await startFrameUpstream(t, {
    onRequest: ({ send }, stream) => send(head(stream), data(stream, "OK", END)),
  });
  const ca = readFileSync(String(upstream.route.upstreamTls?.ca));
  const group = new PoolGroup({ http2: true, connectMs: 20_000, tls: { ca, serverName: undefined } });
  t.after(() => group.destroy());
  assert.equal((await ask(group, upstream.url)).status, 200);
  const pool = group.of(upstream.url);
  await eventually("the stream is over", () => pool.isIdle);
  pool.sweep(performance.now() + 29_000);
  assert.equal((await ask(group, upstream.url)).status, 200);
  assert.equal(upstream.connections.length, 1);
  await eventually("the stream is over", () => pool.isIdle);
  pool.sweep(performance.now() + 31_000);
  const [{ frames }] = upstream.connections as [FrameUpstream["connections"][number]];
  await eventually("GOAWAY", () => frames.some(({ type }) => type === TYPE.goaway));
  assert.equal((await ask(group, upstream.url)).status, 200);
  assert.equal(upstream.connections.length, 2);
});

test("hints of an upstream over HTTP/2 reach the client before its answer", { skip }, async (t) => {
  const upstream = await startFrameUpstream(t, {
    onRequest: ({ send }, stream) => {
      send(head(stream, [["link", "</a.css>; rel=preload"]], FLAG.none, "103"));
      setImmediate(() => send(head(stream), data(stream, "OK", END)));
    },
  });
  const { base } = await startRawGateway(t, { route: upstream.route });
  const { text, statuses } = await sendRaw(base, GET, { answers: 1 });
  assert.deepEqual(statuses, [200]);
  assert.match(text, /^HTTP\/1\.1 103 [^\r]*\r\nlink: <\/a\.css>; rel=preload\r\n/i);
});

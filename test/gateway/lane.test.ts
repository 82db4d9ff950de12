import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { sendRaw } from "../support/raw.ts";
import { startRawGateway } from "../support/raw-gateway.ts";

const GET = "GET /a?b=c HTTP/1.1\r\nHost: a\r\nX-One: 1 \r\n\r\n";
const POST = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde";
const CHUNKED = "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n";

const withoutDates = (text: string): string => text.replace(/Date: [^\r]*/g, "Date");

test("a request is answered and forwarded alike, wherever it is cut in two", async (t) => {
  const { base, upstream } = await startRawGateway(t);
  const whole = withoutDates((await sendRaw(base, POST, { answers: 1 })).text);
  const forwarded = upstream.requests.at(-1);
  for (let i = 1; i < POST.length; i++) {
    const socket = connect(Number(new URL(base).port), "127.0.0.1");
    socket.setNoDelay(true);
    await once(socket, "connect");
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    socket.write(POST.slice(0, i), () => setImmediate(() => socket.write(POST.slice(i))));
    await eventually(`the answer to what was cut at ${i}`, () => text.length >= whole.length);
    socket.destroy();
    assert.equal(withoutDates(text), whole);
    assert.deepEqual(upstream.requests.at(-1), forwarded);
  }
});

test("requests of all kinds take turns on one connection, pipelined or not", async (t) => {
  const { base, upstream } = await startRawGateway(t);
  for (const kinds of [
    [GET, POST, GET],
    [GET, CHUNKED, GET],
    [CHUNKED, GET, POST],
    [POST, GET, POST.slice(0, 40), POST.slice(40)],
  ]) {
    const before = upstream.requests.length;
    const { statuses } = await sendRaw(base, [kinds.join("")], { answers: 3 });
    assert.deepEqual(statuses, [200, 200, 200]);
    assert.equal(upstream.requests.length, before + 3);
  }
});

test("a body that comes in pieces, or not to its end, is dealt with as it is by node:http", async (t) => {
  const { base, upstream } = await startRawGateway(t, { options: { limits: { bodyIdleSeconds: 1 } } });
  const post = (length: number): string => `POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`;
  const body = "x".repeat(65_536);
  const pieces = [post(65_536) + body.slice(9), body.slice(-7), "x", `x${POST}`, GET];
  const several = await sendRaw(
    base,
    pieces.flatMap((piece) => [piece, 1]),
    { answers: 3 },
  );
  assert.deepEqual(several.statuses, [200, 200, 200]);
  assert.deepEqual(
    upstream.requests.map((request) => request.split("\r\n\r\n")[1]?.length),
    [65_536, 5, 0],
  );
  const late = await sendRaw(base, [post(5), 50, "abc", 50, "de"], { answers: 1 });
  assert.deepEqual([late.statuses, upstream.requests.length], [[200], 4]);
  assert.deepEqual((await sendRaw(base, `${post(5)}abc`)).statuses, [408]);
  for (const first of [1, post(5).length, post(5).length + 3]) {
    const socket = connect({ port: Number(new URL(base).port), host: "127.0.0.1", noDelay: true });
    socket.on("error", () => {});
    socket.write(post(5).slice(0, first));
    setImmediate(() => socket.end(`${post(5)}abc`.slice(first)));
    const { statuses, isClosed } = await sendRaw(socket, []);
    assert.deepEqual([statuses, isClosed], [[400], true], `the first ${first} bytes come alone`);
  }
  assert.equal(upstream.requests.length, 4);
});

test("a client that is slow with its body need not send it to be refused", async (t) => {
  const { base, upstream } = await startRawGateway(t, {
    route: { plugins: [{ "ip-filter": { deny: ["127.0.0.0/8"] } }] },
  });
  const { statuses } = await sendRaw(base, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab", {
    answers: 1,
  });
  assert.deepEqual([statuses, upstream.requests.length], [[403], 0]);
});

test("an answer of any length comes whole and in its turn", async (t) => {
  const bodyOf = (request: string): string => `${"x".repeat(Number(/size=(\d+)/.exec(request)?.[1]) - 1)}.`;
  const { base } = await startRawGateway(t, {
    answer(request, socket) {
      const body = bodyOf(request);
      const sent = request.startsWith("HEAD") ? "" : body;
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${sent}`);
    },
  });
  const sizes = [1, 4_095, 4_096, 4_097, 16_384, 65_535, 65_536, 65_537, 300_000];
  const requests = sizes.flatMap((size) =>
    ["GET", "HEAD"].map((method) => `${method} /a?size=${size} HTTP/1.1\r\nHost: a\r\n\r\n`),
  );
  const last = "GET /a?size=5000 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  for (const first of [GET.replace("b=c", "size=2"), CHUNKED.replace("/a", "/a?size=2")]) {
    const { text, isClosed } = await sendRaw(base, first + requests.join("") + last);
    const bodies = text.split(/HTTP\/1\.1 200 OK\r\n(?:[^\r]+\r\n)*\r\n/).map((body) => body.length);
    assert.deepEqual([bodies, isClosed], [[0, 2, ...sizes.flatMap((size) => [size, 0]), 5_000], true]);
  }
});

test("a connection that says it is done is closed behind its answer, and what follows is no request", async (t) => {
  const { base, upstream } = await startRawGateway(t);
  const { statuses, isClosed, text } = await sendRaw(base, GET.replace("X-One: 1 ", "Connection: close") + GET);
  assert.deepEqual([statuses, isClosed, upstream.requests.length], [[200], true, 1]);
  assert.match(text, /\r\nConnection: close\r\n/);
});

test("an answer of unknown length is a stream, and the connection serves the next request", async (t) => {
  const body = "x".repeat(100_000);
  const chunked = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n${body}\r\n0\r\n\r\n`;
  const { base } = await startRawGateway(t, { answer: (_request, socket) => socket.write(chunked) });
  const { statuses, text } = await sendRaw(base, GET + GET + GET.replace("X-One: 1 ", "Connection: close"));
  assert.deepEqual(statuses, [200, 200, 200]);
  assert.deepEqual([text.match(/x{100,}/g)?.join("").length, text.split("\r\n0\r\n\r\n").length], [300_000, 4]);
});

test("a connection on which nothing is asked is told so in time, and closed", async (t) => {
  const { base } = await startRawGateway(t, { options: { limits: { headerSeconds: 1 } } });
  const silent = await sendRaw(base, []);
  assert.deepEqual([silent.statuses, silent.isClosed], [[408], true]);
  const begun = await sendRaw(base, "GET / HTTP/1.1\r\n");
  assert.deepEqual([begun.statuses, begun.isClosed], [[408], true]);
});

test("a client that goes away takes its request with it, and one whose service is gone is told", async (t) => {
  const { base, upstream } = await startRawGateway(t, { answer: () => {} });
  const socket = connect(Number(new URL(base).port), "127.0.0.1");
  socket.write(GET);
  await eventually("it is upstream", () => upstream.connections.open === 1);
  socket.destroy();
  await eventually("the service is let go", () => upstream.connections.open === 0);
  upstream.answer = (_request, from) => from.destroy();
  assert.deepEqual((await sendRaw(base, POST + POST, { answers: 2 })).statuses, [502, 502]);
});

test("a body that begins with its head and is read by nobody yet stops its client", async (t) => {
  // It takes the connection, and says nothing: no handshake ends, and no body is asked for.
  const silent = createServer((socket) => t.after(() => socket.destroy())).listen(0, "127.0.0.1");
  t.after(() => silent.close());
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  const { base } = await startRawGateway(t, {
    route: { upstream: { targets: [{ url: `https://127.0.0.1:${port}` }] }, timeouts: { connectMs: 600_000 } },
    options: { limits: { bodyBytes: "1GiB" } },
  });
  const client = connect(Number(new URL(base).port), "127.0.0.1");
  client.on("error", () => {});
  t.after(() => client.destroy());
  const part = Buffer.alloc(65_536, "a");
  const most = 16_384 * part.length;
  let sent = 0;
  const pump = (): void => {
    while (sent < most) {
      sent += part.length;
      if (!client.write(part)) {
        client.once("drain", pump);
        return;
      }
    }
  };
  client.write(`POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: ${most}\r\n\r\n`);
  pump();
  let before = -1;
  await eventually("the client is stopped", async () => {
    const isStill = sent === before;
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 100));
    return isStill;
  });
  // Some are in the buffers of the system.
  assert.ok(sent < most / 4, `${sent} bytes were taken`);
});

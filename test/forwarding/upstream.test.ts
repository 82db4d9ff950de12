import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { until } from "../support/load.ts";
import { answerOk, sendRaw } from "../support/raw.ts";
import { startRawGateway } from "../support/raw-gateway.ts";

const GET = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
const once = { retries: { attempts: 0 } };

// ATTACKS 14: an upstream that is broken or bought.
for (const [what, answer] of [
  ["with a length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
  ["with two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"],
  ["with 1 MB of headers", `HTTP/1.1 200 OK\r\n${`X: ${"a".repeat(1_000)}\r\n`.repeat(1_000)}\r\n`],
  [
    "behind a flood of interim answers",
    `${"HTTP/1.1 103 Early\r\n\r\n".repeat(1_000)}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`,
  ],
  ["that is not HTTP", "SSH-2.0-OpenSSH\r\n"],
  ["with NUL in a field", "HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n"],
  ["with a bare CR in a field", "HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n"],
  ["that switches protocols unasked", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"],
] as const) {
  test(`an answer ${what} becomes a 502, and its connection is destroyed`, async (t) => {
    const { base, upstream } = await startRawGateway(t, {
      route: once,
      answer: (_request, socket) => socket.write(answer, "latin1"),
    });
    const { text, statuses } = await sendRaw(base, GET, { answers: 1 });
    assert.deepEqual(statuses, [502]);
    assert.match(text, /\r\nProxy-Status: portico; error=/i);
    await until("the connection to the upstream is gone", () => upstream.connections.open === 0);
  });
}

test("bytes after a body are nobody's answer", async (t) => {
  const poison = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";
  const { base, upstream } = await startRawGateway(t, {
    route: once,
    answer: (_request, socket) => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK${poison}`),
  });
  for (let i = 0; i < 5; i++) {
    const { text } = await sendRaw(base, GET, { answers: 1 });
    assert.doesNotMatch(text, /poison/);
  }
  assert.equal(upstream.connections.opened, 5);
});

for (const [what, answer, code, status] of [
  ["headers", "", "UPSTREAM_TIMEOUT", 504],
  ["the body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", "UPSTREAM_BODY_TIMEOUT", 504],
] as const) {
  test(`an upstream that stops before ${what} is answered ${code}`, async (t) => {
    const timeouts = { headersMs: 300, bodyIdleMs: 300 };
    const { base } = await startRawGateway(t, {
      route: { ...once, timeouts },
      answer: (_request, socket) => answer !== "" && socket.write(answer),
    });
    const { text, statuses } = await sendRaw(base, GET, { answers: 1 });
    assert.deepEqual(statuses, [status]);
    assert.match(text, new RegExp(`"code":"${code}"`));
    assert.match(text, /Proxy-Status: portico; error=http_response_timeout/i);
  });
}

test("an instance that nobody listens at is answered 502 with the reason", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  const { base } = await startRawGateway(t, {
    route: { ...once, upstream: { targets: [{ url: `http://127.0.0.1:${port}` }] } },
  });
  const { text, statuses } = await sendRaw(base, GET, { answers: 1 });
  assert.deepEqual(statuses, [502]);
  assert.match(text, /Proxy-Status: portico; error=connection_refused/i);
});

test("an answer that breaks off breaks off for the client, too", async (t) => {
  const { base } = await startRawGateway(t, {
    answer(_request, socket) {
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", () => socket.destroy());
    },
  });
  const { text, isClosed } = await sendRaw(base, GET);
  assert.ok(isClosed);
  assert.doesNotMatch(text, /\r\n0\r\n\r\n$/);
});

test("a client that goes away takes its request to the upstream with it", async (t) => {
  const { base, upstream } = await startRawGateway(t, { answer: () => {} });
  await sendRaw(base, GET, { quietMs: 200 });
  await until("the upstream is let go", () => upstream.requests.length === 1 && upstream.connections.open === 0);
});

test("a sign that the service is at work reaches the client", async (t) => {
  const { base } = await startRawGateway(t, {
    answer: (_request, socket) =>
      socket.write(
        "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 104 Unheard Of\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
      ),
  });
  const { text } = await sendRaw(base, GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
  assert.match(text, /^HTTP\/1\.1 102 Processing\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
});

test("early hints and trailers reach the client", async (t) => {
  const { base } = await startRawGateway(t, {
    answer: (_request, socket) =>
      socket.write(
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n" +
          "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a=b\r\n\r\n",
      ),
  });
  const { text } = await sendRaw(base, GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
  assert.match(text, /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\n/i);
  assert.match(text, /0\r\nX-Sum: 1\r\n\r\n$/);
});

for (const [status, head] of [
  [200, "HEAD"],
  [204, "GET"],
  [304, "GET"],
] as const) {
  test(`${head} answered ${status} has no body, and the connection goes on`, async (t) => {
    const { base } = await startRawGateway(t, {
      answer: (_request, socket) =>
        socket.write(`HTTP/1.1 ${status} X\r\n${status === 204 ? "" : "Content-Length: 5\r\n"}\r\n`),
    });
    const request = `${head} / HTTP/1.1\r\nHost: a\r\n\r\n`;
    const { statuses, text } = await sendRaw(
      base,
      head === "HEAD" ? GET.replace("GET", "GET") && request + request : request + request,
      {
        answers: 2,
      },
    );
    assert.deepEqual(statuses, [status, status]);
    assert.ok(text.endsWith("\r\n\r\n"));
  });
}

test("the first event of a stream arrives while the stream goes on", async (t) => {
  const { base } = await startRawGateway(t, {
    answer: (_request, socket) =>
      socket.write(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n",
      ),
  });
  const { text, isClosed } = await sendRaw(base, GET, { quietMs: 300 });
  assert.match(text, /data: 1/);
  assert.ok(!isClosed);
});

test("a reader that does not read stops the upstream", async (t) => {
  let written = 0;
  let isStopped = false;
  const chunk = Buffer.alloc(65_536, "x");
  const { base } = await startRawGateway(t, {
    answer(request, socket) {
      if (request.startsWith("GET /other")) return answerOk(request, socket);
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${1024 * 1024 * 1024}\r\n\r\n`);
      const more = (): void => {
        while (written < 512 * 1024 * 1024) {
          written += chunk.length;
          if (!socket.write(chunk)) {
            isStopped = true;
            socket.once("drain", more);
            return;
          }
        }
      };
      more();
    },
  });
  const { connect } = await import("node:net");
  const socket = connect(Number(new URL(base).port), "127.0.0.1");
  t.after(() => socket.destroy());
  socket.pause();
  socket.write(GET);
  // While others are answered, nothing more is taken for this one.
  await until("the upstream is held back", async () => {
    const before = written;
    for (let i = 0; i < 20; i++) await sendRaw(base, GET.replace("/a", "/other"), { answers: 1 });
    return isStopped && written === before;
  });
  assert.ok(written < 64 * 1024 * 1024, `${written} bytes were taken`);
});

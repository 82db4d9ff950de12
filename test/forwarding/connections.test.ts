import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { answerOk, sendRaw } from "../support/raw.ts";
import { startRawGateway } from "../support/raw-gateway.ts";

const GET = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n";
const once = { retries: { attempts: 0 } };

for (const [what, fields, opened] of [
  ["that is kept serves the next request", "", 1],
  ["with a long life serves the next request", "Keep-Alive: timeout=60\r\n", 1],
  ["that is about to be closed does not serve another", "Keep-Alive: timeout=1\r\n", 3],
  ["that says close does not serve another", "Connection: close\r\n", 3],
  ["that says close among other things does not serve another", "Connection: x, Close\r\n", 3],
] as const) {
  test(`a connection ${what}`, async (t) => {
    const { base, upstream } = await startRawGateway(t, {
      route: once,
      answer: (_request, socket) => socket.write(`${OK}${fields}\r\nOK`),
    });
    for (let i = 0; i < 3; i++) {
      const { statuses } = await sendRaw(base, GET, { answers: 1 });
      assert.deepEqual(statuses, [200]);
    }
    if (opened === 1) assert.ok(upstream.connections.opened < 3);
    else assert.equal(upstream.connections.opened, opened);
  });
}

test("an answer that nobody asked for ends its connection and reaches nobody", async (t) => {
  const { base, upstream } = await startRawGateway(t, {
    route: once,
    answer(_request, socket) {
      socket.write(`${OK}\r\nOK`);
      setImmediate(() => socket.write(`${OK}X: poison\r\n\r\nOK`));
    },
  });
  for (let i = 0; i < 3; i++) {
    const { text } = await sendRaw(base, GET, { answers: 1 });
    assert.doesNotMatch(text, /poison/);
    await eventually("the connection is gone", () => upstream.connections.open === 0);
  }
  assert.equal(upstream.connections.opened, 3);
});

test("an answer given while the body still comes is passed on, and its connection is not used again", async (t) => {
  const { base, upstream } = await startRawGateway(t, { route: once });
  upstream.answerEarly = (socket) => socket.write("HTTP/1.1 413 Too Much\r\nContent-Length: 0\r\n\r\n");
  const { statuses } = await sendRaw(base, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\npart", {
    answers: 1,
  });
  assert.deepEqual(statuses, [413]);
  await eventually("the connection is gone", () => upstream.connections.open === 0);
  upstream.answerEarly = undefined;
  assert.deepEqual((await sendRaw(base, GET, { answers: 1 })).statuses, [200]);
  assert.equal(upstream.connections.opened, 2);
});

test("no more connections than upstreamConnections are opened; further requests wait for one", async (t) => {
  const { base, upstream } = await startRawGateway(t, {
    route: { ...once, upstreamConnections: 2 },
    answer: (_request, socket) => setImmediate(() => socket.write(`${OK}\r\nOK`)),
  });
  const answers = await Promise.all(Array.from({ length: 10 }, () => sendRaw(base, GET, { answers: 1 })));
  assert.deepEqual([...new Set(answers.flatMap(({ statuses }) => statuses))], [200]);
  assert.equal(upstream.connections.opened, 2);
  assert.equal(upstream.requests.length, 10);
});

test("a client that breaks off its body breaks off the request to the upstream", async (t) => {
  const { base, upstream } = await startRawGateway(t, { route: once });
  const client = connect(Number(new URL(base).port), "127.0.0.1");
  t.after(() => client.destroy());
  client.write("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\npart");
  await eventually("the upstream is connected", () => upstream.connections.opened === 1);
  client.destroy();
  await eventually("the upstream is let go", () => upstream.connections.open === 0);
  assert.deepEqual(upstream.requests, []);
});

test("a body in chunks is sent in chunks, without their extensions", async (t) => {
  const { base, upstream } = await startRawGateway(t, { route: once });
  const body = "5;a=b\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
  const { statuses } = await sendRaw(base, `POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body}`, {
    answers: 1,
  });
  assert.deepEqual(statuses, [200]);
  const request = String(upstream.requests[0]);
  assert.match(request, /\r\nTransfer-Encoding: chunked\r\n/);
  assert.doesNotMatch(request, /a=b|content-length/i);
  const sent = request.slice(request.indexOf("\r\n\r\n") + 4).replaceAll(/[0-9a-f]+\r\n([^\r]*)\r\n/g, "$1");
  assert.equal(sent, "hello world");
});

test("an upstream that stops in the middle of a large answer breaks off for the client", async (t) => {
  const { base } = await startRawGateway(t, {
    route: { ...once, timeouts: { bodyIdleMs: 200 } },
    answer: (_request, socket) =>
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n${"a".repeat(70_000)}`),
  });
  const { text, isClosed, statuses } = await sendRaw(base, GET);
  assert.deepEqual(statuses, [200]);
  assert.ok(isClosed);
  assert.ok(text.length < 100_000);
});

test("a large answer arrives whole, and its connection serves the next request", async (t) => {
  const large = "abcdefghij".repeat(30_000);
  const { base, upstream } = await startRawGateway(t, {
    route: once,
    answer: (_request, socket) => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${large.length}\r\n\r\n${large}`),
  });
  const { text, isClosed } = await sendRaw(base, GET + GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
  assert.ok(isClosed);
  assert.equal(text.split(large).length, 3);
  assert.equal(upstream.connections.opened, 1);
});

test("when the upstream has closed its kept connection, the next request goes over a new one", async (t) => {
  const { base, upstream } = await startRawGateway(t, {
    route: once,
    answer(request, socket) {
      answerOk(request, socket);
      socket.end();
    },
  });
  for (let i = 1; i <= 3; i++) {
    assert.deepEqual((await sendRaw(base, GET, { answers: 1 })).statuses, [200]);
    await eventually("the connection is gone", () => upstream.connections.open === 0);
  }
  assert.equal(upstream.connections.opened, 3);
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { PoolGroup } from "../../../src/forwarding/pools.ts";
import { ask } from "../../support/byte-upstream.ts";
import { missingOpenssl } from "../../support/certificates.ts";
import { eventually } from "../../support/eventually.ts";
import { FLAG, frame, setting, TYPE, uint32 } from "../../support/http2-frames.ts";
import { data, type FrameConnection, head, startFrameUpstream } from "../../support/http2-upstream.ts";
import { sendRaw } from "../../support/raw.ts";
import { startRawGateway } from "../../support/raw-gateway.ts";

const skip = missingOpenssl() ?? false;
const GET = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
const POST = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";
const ok = (connection: FrameConnection, stream: number): void =>
  connection.send(head(stream), data(stream, "OK", FLAG.endStream));
const goaway = (last: number, code = 0): Buffer =>
  frame(TYPE.goaway, FLAG.none, 0, Buffer.concat([uint32(last), uint32(code)]));
const reset = (stream: number, code: number): Buffer => frame(TYPE.rstStream, FLAG.none, stream, uint32(code));
const MAX_STREAMS = 3;

test("requests share one session, and no more of them than the upstream takes", { skip }, async (t) => {
  let most = 0;
  const open = new Set<string>();
  const upstream = await startFrameUpstream(t, {
    settings: setting(MAX_STREAMS, 2),
    onRequest: (connection, stream) => {
      const index = upstream.connections.indexOf(connection);
      open.add(`${index} ${stream}`);
      most = Math.max(most, [...open].filter((one) => one.startsWith(`${index} `)).length);
      setImmediate(() => {
        open.delete(`${index} ${stream}`);
        ok(connection, stream);
      });
    },
  });
  const { base } = await startRawGateway(t, { route: { ...upstream.route, upstreamConnections: 2 } });
  const answers = await Promise.all(Array.from({ length: 20 }, () => sendRaw(base, GET, { answers: 1 })));
  assert.deepEqual(new Set(answers.flatMap(({ statuses }) => statuses)), new Set([200]));
  assert.ok(most <= 2, `${most} at once`);
  assert.ok(upstream.connections.length <= 2);
});

test("GOAWAY lets what was processed end, and all else goes by another session, whatever its method", {
  skip,
}, async (t) => {
  const held: number[] = [];
  const upstream = await startFrameUpstream(t, {
    onRequest: (connection, stream) => {
      if (connection !== upstream.connections[0] || stream === 1) ok(connection, stream);
      else if (held.push(stream) === 3) {
        connection.send(goaway(held[0] as number));
        ok(connection, held[0] as number);
      }
    },
  });
  const { base } = await startRawGateway(t, { route: upstream.route });
  assert.deepEqual((await sendRaw(base, GET, { answers: 1 })).statuses, [200]);
  const answers = await Promise.all([GET, POST, POST].map((bytes) => sendRaw(base, bytes, { answers: 1 })));
  assert.deepEqual(
    answers.flatMap(({ statuses }) => statuses),
    [200, 200, 200],
  );
  assert.equal(upstream.connections.length, 2);
  assert.equal(upstream.requests.length, 6);
});

test("an upstream that ends each session before it has done anything is asked a bounded number of times", {
  skip,
}, async (t) => {
  const upstream = await startFrameUpstream(t, { onRequest: (connection) => connection.send(goaway(0)) });
  const { base } = await startRawGateway(t, { route: { ...upstream.route, retries: { attempts: 2, budget: "100%" } } });
  const { statuses, text } = await sendRaw(base, POST, { answers: 1 });
  assert.deepEqual(statuses, [502]);
  assert.match(text, /"code":"UPSTREAM_ABORTED"/);
  assert.equal(upstream.requests.length, 3);
});

for (const [what, code, times, hasBegun] of [
  ["refused", 7, 2, false],
  ["refused after its answer has begun", 7, 1, true],
  ["broken off", 2, 1, false],
] as const) {
  test(`POST whose stream is ${what} is sent ${times} times`, { skip }, async (t) => {
    const upstream = await startFrameUpstream(t, {
      onRequest: (connection, stream, nth) => {
        if (nth > 0) ok(connection, stream);
        else connection.send(hasBegun ? head(stream, [["content-length", "9"]]) : Buffer.alloc(0), reset(stream, code));
      },
    });
    const { base } = await startRawGateway(t, {
      route: { ...upstream.route, retries: { attempts: 1, budget: "100%" } },
    });
    const { statuses } = await sendRaw(base, POST, { answers: 1 });
    assert.deepEqual(statuses, [times === 2 ? 200 : 502]);
    assert.equal(upstream.requests.length, times);
  });
}

test("a client that goes away resets its stream alone", { skip }, async (t) => {
  const upstream = await startFrameUpstream(t, {
    onRequest: (connection, stream, nth) => nth > 0 && ok(connection, stream),
  });
  const { base } = await startRawGateway(t, { route: upstream.route });
  await sendRaw(base, GET, { quietMs: 200 });
  const [connection] = upstream.connections as [FrameConnection];
  const gone = await eventually("the reset", () => connection.frames.find(({ type }) => type === TYPE.rstStream));
  assert.deepEqual([gone.stream, gone.payload.readUInt32BE(0)], [1, 8]);
  assert.deepEqual((await sendRaw(base, GET, { answers: 1 })).statuses, [200]);
  assert.equal(upstream.connections.length, 1);
});

test("an upstream that says nothing after its handshake is a connection that did not come about", {
  skip,
}, async (t) => {
  const upstream = await startFrameUpstream(t, { settings: null });
  const { base } = await startRawGateway(t, { route: { ...upstream.route, timeouts: { connectMs: 500 } } });
  const { statuses, text } = await sendRaw(base, GET, { answers: 1 });
  assert.deepEqual(statuses, [504]);
  assert.match(text, /"code":"UPSTREAM_CONNECT_TIMEOUT"/);
});

for (const [what, timeouts, begin, code] of [
  ["no headers", { headersMs: 200 }, () => {}, "UPSTREAM_TIMEOUT"],
  [
    "no more of a body",
    { bodyIdleMs: 200 },
    (connection: FrameConnection, stream: number) =>
      connection.send(head(stream, [["content-length", "9"]]), data(stream, "part")),
    "UPSTREAM_BODY_TIMEOUT",
  ],
] as const) {
  test(`${what} in time is ${code}, and the session stays`, { skip }, async (t) => {
    const upstream = await startFrameUpstream(t, {
      onRequest: (connection, stream, nth) => (nth === 0 ? begin(connection, stream) : ok(connection, stream)),
    });
    const { route } = upstream;
    const { base } = await startRawGateway(t, { route: { ...route, timeouts: { ...route.timeouts, ...timeouts } } });
    const { statuses, text } = await sendRaw(base, GET, { answers: 1 });
    assert.deepEqual(statuses, [504]);
    assert.match(text, new RegExp(`"code":"${code}"`));
    const [{ frames, socket }] = upstream.connections as [FrameConnection];
    await eventually("PING", () => frames.some(({ type }) => type === TYPE.ping));
    // Until PING is answered, others are asked by another connection.
    await eventually("a request on the first connection", async () => {
      assert.deepEqual((await sendRaw(base, GET, { answers: 1 })).statuses, [200]);
      return upstream.requests.at(-1)?.connection === 0;
    });
    assert.equal(socket.destroyed, false);
  });
}

test("a session on which requests wait in vain gets no more of them, and ends when it answers no PING", {
  skip,
}, async (t) => {
  const upstream = await startFrameUpstream(t, {
    answersPings: false,
    onRequest: (connection, stream, nth) => {
      if (nth > 0) ok(connection, stream);
    },
  });
  const ca = readFileSync(String(upstream.route.upstreamTls?.ca));
  const group = new PoolGroup({ http2: true, connectMs: 20_000, tls: { ca, serverName: undefined } });
  t.after(() => group.destroy());
  await assert.rejects(ask(group, upstream.url, { headersMs: 100 }), { fault: "headers-timeout" });
  for (let i = 0; i < 3; i++) assert.equal((await ask(group, upstream.url)).status, 200);
  assert.deepEqual(
    upstream.requests.map(({ connection }) => connection),
    [0, 1, 1, 1],
  );
  const [{ socket }] = upstream.connections as [FrameConnection];
  const closed = once(socket, "close");
  group.of(upstream.url).sweep(performance.now() + 11_000);
  await closed;
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { until } from "../support/load.ts";
import { sendRaw } from "../support/raw.ts";
import { startRawGateway } from "../support/raw-gateway.ts";

const GET = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

test("headers that do not come are answered 408, and the connection ends", async (t) => {
  const { base } = await startRawGateway(t, { options: { limits: { headerSeconds: 0.5 } } });
  const { statuses, isClosed, text } = await sendRaw(base, "GET /a HTTP/1.1\r\nHost: a\r\nX-");
  assert.deepEqual(statuses, [408]);
  assert.ok(isClosed);
  assert.match(text, /REQUEST_TIMEOUT/);
});

test("a first byte that comes late buys no time for the rest of the headers", async (t) => {
  const { base } = await startRawGateway(t, { options: { limits: { headerSeconds: 1 } } });
  const sinceMs = performance.now();
  const { statuses, isClosed } = await sendRaw(base, [800, "GET /a HTTP/1.1\r\n"]);
  assert.deepEqual([statuses, isClosed], [[408], true]);
  assert.ok(performance.now() - sinceMs < 1_600, `${performance.now() - sinceMs} ms`);
});

test("a body that trickles is answered 408, and the connection ends", async (t) => {
  const { base } = await startRawGateway(t, { options: { limits: { bodyIdleSeconds: 0.5 } } });
  const head = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n";
  const { statuses, isClosed } = await sendRaw(base, [head, "x", 100, "x", 100, "x"]);
  assert.deepEqual(statuses, [408]);
  assert.ok(isClosed);
});

test("a body that trickles holds no connection to its upstream", async (t) => {
  const { base, upstream } = await startRawGateway(t, { options: { limits: { bodyIdleSeconds: 0.5 } } });
  const head = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n";
  assert.deepEqual((await sendRaw(base, [head, "x"])).statuses, [408]);
  assert.equal(upstream.connections.opened, 0);
  const whole = await sendRaw(base, [head, "x".repeat(400), 50, "x".repeat(600)], { answers: 1 });
  assert.deepEqual(whole.statuses, [200]);
  assert.ok(upstream.requests[0]?.endsWith(`\r\n\r\n${"x".repeat(1000)}`));
});

test("an idle connection is closed", async (t) => {
  const { base } = await startRawGateway(t, { options: { limits: { keepAliveSeconds: 0.3 } } });
  const { statuses, isClosed } = await sendRaw(base, GET);
  assert.deepEqual(statuses, [200]);
  assert.ok(isClosed);
});

test("a connection in use is not idle, however long it lives, and the client is told how long it may rest", async (t) => {
  const { base } = await startRawGateway(t, { options: { limits: { keepAliveSeconds: 3 } } });
  const requests = Array.from({ length: 12 }, () => [GET, 300]).flat();
  const { statuses, text, isClosed } = await sendRaw(base, requests, { answers: 12 });
  assert.deepEqual(statuses, Array(12).fill(200));
  assert.equal(text.match(/\r\nKeep-Alive: timeout=3\r\n/g)?.length, 12);
  assert.ok(!isClosed);
});

test("one connection too many from an address is turned away with 503", async (t) => {
  const { base } = await startRawGateway(t, { options: { limits: { connectionsPerAddress: 1 } } });
  const first = connect(Number(new URL(base).port), "127.0.0.1");
  t.after(() => first.destroy());
  await once(first, "connect");
  const refused = await sendRaw(base, GET);
  assert.deepEqual(refused.statuses, [503]);
  assert.match(refused.text, /\r\nRetry-After: 1\r\n/);
});

test("one connection too many in all is turned away with 503", async (t) => {
  const { base } = await startRawGateway(t, { options: { limits: { connections: 1 } } });
  const first = connect(Number(new URL(base).port), "127.0.0.1");
  t.after(() => first.destroy());
  await once(first, "connect");
  assert.deepEqual((await sendRaw(base, GET)).statuses, [503]);
});

test("a client that reads nothing of its answer is cut, and its upstream let go", async (t) => {
  const { base, upstream } = await startRawGateway(t, {
    options: { limits: { bodyIdleSeconds: 0.5 } },
    answer(_request, socket) {
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      const chunk = `${(65_536).toString(16)}\r\n${"x".repeat(65_536)}\r\n`;
      const more = (): void => {
        while (!socket.destroyed && socket.write(chunk));
      };
      socket.on("drain", more);
      more();
    },
  });
  const client = connect(Number(new URL(base).port), "127.0.0.1");
  t.after(() => client.destroy());
  client.on("error", () => {});
  client.write(GET);
  await eventually("the answer begins", () => upstream.connections.open === 1);
  await eventually("the upstream is let go", () => upstream.connections.open === 0);
  let bytes = 0;
  client.on("data", (chunk) => {
    bytes += chunk.length;
  });
  await new Promise((resolve) => client.once("close", resolve));
  // Up to 4 MB would be sent to it by and by.
  assert.ok(bytes < 1_500_000, `${bytes} bytes were kept for it`);
});

test("a late event loop sheds with Retry-After, and takes requests again once it is on time", async (t) => {
  const { base } = await startRawGateway(t, { options: { limits: { eventLoopDelayMs: 200 } } });
  assert.deepEqual((await sendRaw(base, GET, { answers: 1 })).statuses, [200]);
  let isBusy = true;
  const block = (): void => {
    const endsAtMs = performance.now() + 600;
    while (performance.now() < endsAtMs);
    if (isBusy) setTimeout(block, 60);
  };
  block();
  const shed = await eventually("a request is shed", async () => {
    const answer = await sendRaw(base, GET, { answers: 1 });
    return answer.statuses[0] === 503 && answer;
  });
  assert.match(shed.text, /\r\nRetry-After: 1\r\n[\s\S]*"OVERLOADED"/i);
  isBusy = false;
  await eventually("it is taken again", async () => (await sendRaw(base, GET, { answers: 1 })).statuses[0] === 200);
});

test("those that are taken never wait behind those that are shed: the upstream has no more than the cap", async (t) => {
  let inWork = 0;
  let most = 0;
  const { base } = await startRawGateway(t, {
    options: { limits: { inFlight: 5 } },
    answer(_request, socket) {
      most = Math.max(most, ++inWork);
      setTimeout(() => {
        inWork--;
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      }, 20);
    },
  });
  const answers = await Promise.all(Array.from({ length: 100 }, () => sendRaw(base, GET, { answers: 1 })));
  const count = (status: number): number => answers.filter(({ statuses }) => statuses[0] === status).length;
  assert.equal(count(200) + count(503), 100);
  assert.ok(count(200) >= 5);
  assert.ok(most <= 5, `${most} at once`);
});

test("above its cap of requests in work the gateway sheds with Retry-After, and finishes those it took", async (t) => {
  const waiting: (() => void)[] = [];
  const { base } = await startRawGateway(t, {
    options: { limits: { inFlight: 2 } },
    answer: (_request, socket) => waiting.push(() => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")),
  });
  const admitted = [sendRaw(base, GET, { answers: 1 }), sendRaw(base, GET, { answers: 1 })];
  await until("both are in work", () => waiting.length === 2);
  const { statuses, text } = await sendRaw(base, GET, { answers: 1 });
  assert.deepEqual(statuses, [503]);
  assert.match(text, /\r\nRetry-After: 1\r\n/i);
  for (const answer of waiting) answer();
  for (const one of await Promise.all(admitted)) assert.deepEqual(one.statuses, [200]);
});

test("a gateway that ends finishes what it took, says close, and takes nothing more", async (t) => {
  let answer = (): void => {};
  const { base, gateway } = await startRawGateway(t, {
    answer: (_request, socket) => {
      answer = () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    },
  });
  const taken = sendRaw(base, GET);
  await until("it is in work", () => gateway.server.listening && answer.length === 0 && String(answer).includes("200"));
  const ended = gateway.close();
  await until("nothing more is taken", async () => {
    const refused = await sendRaw(base, GET, { quietMs: 300 }).then(
      ({ statuses }) => statuses.length === 0,
      () => true,
    );
    return refused;
  });
  answer();
  const { statuses, text, isClosed } = await taken;
  assert.deepEqual(statuses, [200]);
  assert.match(text, /\r\nConnection: close\r\n/i);
  assert.ok(isClosed);
  await ended;
});

test("a reload lets the exchanges of the old configuration finish", async (t) => {
  let answer: (() => void) | undefined;
  const { base, gateway } = await startRawGateway(t, {
    answer: (_request, socket) => {
      answer = () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    },
  });
  const taken = sendRaw(base, GET, { answers: 1 });
  await until("it is in work", () => answer !== undefined);
  await gateway.reload();
  answer?.();
  assert.deepEqual((await taken).statuses, [200]);
});

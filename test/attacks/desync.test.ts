import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { channels } from "../../src/core/channels.ts";
import { eventually } from "../support/eventually.ts";
import { sendRaw } from "../support/raw.ts";
import { startRawGateway } from "../support/raw-gateway.ts";

// ATTACKS A 3 to 6, 15: whatever happens to a request, what follows on its connection is read as what it is.

const NEXT = "GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const lineOf = (request: string | undefined): string => (request ?? "").slice(0, (request ?? "").indexOf("\r\n"));

test("a chunked body of OPTIONS is a body, and the next request the next", async (t) => {
  const { base, upstream } = await startRawGateway(t);
  const hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
  const chunk = `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`;
  await sendRaw(base, `OPTIONS / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}${NEXT}`);
  assert.ok(!upstream.requests.map(lineOf).includes("GET /hidden HTTP/1.1"));
  assert.equal(lineOf(upstream.requests.at(-1)), "GET /next HTTP/1.1");
});

for (const method of ["GET", "HEAD", "DELETE"]) {
  test(`a body of ${method} is a body, whatever the upstream makes of it`, async (t) => {
    const { base, upstream } = await startRawGateway(t);
    const hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
    await sendRaw(base, `${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}${NEXT}`);
    assert.ok(!upstream.requests.map(lineOf).includes("GET /hidden HTTP/1.1"));
    assert.equal(lineOf(upstream.requests.at(-1)), "GET /next HTTP/1.1");
  });
}

for (const [what, target, status] of [
  ["that no operation has", "/no/such", 404],
  ["with a method that is not there", "/only/read", 405],
] as const) {
  test(`the body of a request for a path ${what} never becomes a request`, async (t) => {
    const { base, upstream } = await startRawGateway(t);
    const hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
    const request = `POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`;
    const { statuses } = await sendRaw(base, request + NEXT);
    assert.deepEqual(statuses, [status, 200]);
    assert.deepEqual(upstream.requests.map(lineOf), ["GET /next HTTP/1.1"]);
  });
}

test("a large body that nobody reads ends the connection with the answer", async (t) => {
  const { base, upstream } = await startRawGateway(t);
  const request = "POST /no/such HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n";
  const { statuses, isClosed } = await sendRaw(base, request + NEXT);
  assert.deepEqual(statuses, [404]);
  assert.ok(isClosed);
  assert.equal(upstream.requests.length, 0);
});

test("an upstream that answers before the body has come is not used again", async (t) => {
  const { base, upstream } = await startRawGateway(t);
  upstream.answerEarly = (socket) => socket.write("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
  const head = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n";
  const { statuses, isClosed } = await sendRaw(base, [head, "x".repeat(1_000)]);
  assert.deepEqual(statuses, [413]);
  assert.ok(isClosed);
  upstream.answerEarly = undefined;
  const second = await sendRaw(base, "GET /b HTTP/1.1\r\nHost: a\r\n\r\n", { answers: 1 });
  assert.deepEqual(second.statuses, [200]);
  assert.equal(upstream.connections.opened, 2);
});

test("100 is said when the body is wanted, once", async (t) => {
  const { base, upstream } = await startRawGateway(t);
  const head = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
  const client = connect(Number(new URL(base).port), "127.0.0.1");
  t.after(() => client.destroy());
  let text = "";
  client.on("data", (chunk) => {
    text += chunk.toString("latin1");
  });
  client.write(head);
  await eventually("100 is said", () => text.includes("\r\n\r\n"));
  client.write("hello");
  await eventually("the answer", () => text.endsWith("OK"));
  assert.match(text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  assert.ok(!/expect/i.test(upstream.requests[0] ?? ""));
});

test("100 is not said to a client that has sent the body already", async (t) => {
  const { base } = await startRawGateway(t);
  const head = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
  const { text, statuses } = await sendRaw(base, `${head}hello`, { answers: 1 });
  assert.deepEqual(statuses, [200]);
  assert.doesNotMatch(text, /100 Continue/);
});

test("what follows an answer that ends its connection never becomes a request", async (t) => {
  const { base, upstream } = await startRawGateway(t);
  const next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const head of ["POST /a", "GET /a", "PUT //refused"]) {
    const request = `${head} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello${next}`;
    const { text, statuses, isClosed } = await sendRaw(base, request);
    assert.equal(statuses.length, 1);
    assert.match(text, /\r\nConnection: close\r\n/);
    assert.ok(isClosed);
  }
  assert.ok(!upstream.requests.some((one) => one.startsWith("GET /next")));
});

test("a refusal takes the place of 100, and the body that was withheld is not waited for", async (t) => {
  const { base } = await startRawGateway(t);
  const head = "POST /no/such HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
  const { text, statuses, isClosed } = await sendRaw(base, head);
  assert.deepEqual(statuses, [404]);
  assert.ok(isClosed);
  assert.ok(!text.includes("100 Continue"));
});

test("100 pipelined requests are answered in order, and one at a time is in work", async (t) => {
  let inWork = 0;
  let most = 0;
  const { base, upstream } = await startRawGateway(t, {
    answer(request, socket) {
      inWork++;
      most = Math.max(most, inWork);
      const body = lineOf(request).split(" ")[1] ?? "";
      setImmediate(() => {
        inWork--;
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      });
    },
  });
  const requests = Array.from({ length: 100 }, (_, i) => `GET /${i} HTTP/1.1\r\nHost: a\r\n\r\n`).join("");
  const { text, statuses } = await sendRaw(base, requests, { answers: 100 });
  assert.equal(statuses.length, 100);
  const bodies = [...text.matchAll(/\r\n\r\n(\/\d+)/g)].map((match) => match[1]);
  assert.deepEqual(
    bodies,
    Array.from({ length: 100 }, (_, i) => `/${i}`),
  );
  assert.equal(upstream.requests.length, 100);
  assert.equal(most, 1);
});

test("a body that is declared too large is refused before it is read, one in chunks while it comes", async (t) => {
  const { base, upstream } = await startRawGateway(t, { options: { limits: { bodyBytes: 1000 } } });
  const declared = await sendRaw(base, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n");
  assert.deepEqual(declared.statuses, [413]);
  const far = await sendRaw(base, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 500000000\r\n\r\n");
  assert.deepEqual(far.statuses, [413]);
  assert.equal(upstream.connections.opened, 0);
  const chunk = `3e8\r\n${"x".repeat(1000)}\r\n`;
  const chunked = await sendRaw(base, [
    "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    chunk,
    50,
    chunk,
  ]);
  assert.deepEqual(chunked.statuses, [413]);
  assert.ok(chunked.isClosed);
});

test("what follows a last request is no reason to leave that one without its answer", async (t) => {
  const { base, upstream } = await startRawGateway(t);
  for (const rest of ["GET /b HTTP/1.1\r\nHost: a\r\n\r\n", "\0\0\0", "nonsense\r\n\r\n"]) {
    const { statuses, isClosed } = await sendRaw(
      base,
      `GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${rest}`,
    );
    assert.deepEqual(statuses, [200]);
    assert.ok(isClosed);
  }
  assert.equal(upstream.requests.length, 3);
});

test("an answer to HTTP/1.0 whose end is that of the connection is its last: what was sent behind is no request", async (t) => {
  const { base, gateway, upstream } = await startRawGateway(t, {
    answer: (_request, socket) => {
      socket.write(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-S\r\n\r\n2\r\nOK\r\n0\r\nX-S: 1\r\n\r\n",
      );
    },
  });
  const request = "GET /a HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n";
  const { statuses, isClosed } = await sendRaw(base, request.repeat(2));
  assert.deepEqual(statuses, [200]);
  assert.ok(isClosed);
  // It would wait for a second answer that nobody can be sent.
  await gateway.close();
  assert.equal(upstream.requests.length, 1);
});

test("OPTIONS goes as many gateways far as Max-Forwards says", async (t) => {
  const { base, upstream } = await startRawGateway(t);
  const ask = (value: string) =>
    sendRaw(base, `OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: ${value}\r\nConnection: close\r\n\r\n`);
  const last = await ask("0");
  assert.deepEqual(last.statuses, [204]);
  assert.match(last.text, /\r\nAllow: DELETE, GET, HEAD, OPTIONS, POST, PUT\r\n/);
  assert.equal(upstream.requests.length, 0);
  for (const [value, passedOn] of [
    ["3", "2"],
    ["x", "x"],
  ]) {
    assert.deepEqual((await ask(value as string)).statuses, [200]);
    assert.ok(upstream.requests.at(-1)?.includes(`\r\nMax-Forwards: ${passedOn}\r\n`));
  }
});

test("a body that breaks off in nonsense is the client's fault, and no fault to be told of", async (t) => {
  const { base, upstream } = await startRawGateway(t);
  const faults: unknown[] = [];
  const onFault = ({ error }: { error: unknown }): void => void faults.push(error);
  let ended = 0;
  const onEnd = (): void => void ended++;
  channels.fault.subscribe(onFault as () => void);
  channels.exchangeEnd.subscribe(onEnd);
  t.after(() => {
    channels.fault.unsubscribe(onFault as () => void);
    channels.exchangeEnd.unsubscribe(onEnd);
  });
  const { statuses } = await sendRaw(
    base,
    "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhix\r\n0\r\n\r\n",
  );
  assert.deepEqual(statuses, [400]);
  await eventually("the exchange ends", () => ended === 1);
  assert.deepEqual(faults, []);
  assert.equal(upstream.requests.length, 0);
});

test("what a client gets wrong is no fault to be told of, even where RFC 9110 makes it a 5xx", async (t) => {
  const { base } = await startRawGateway(t);
  const faults: unknown[] = [];
  const onFault = ({ error }: { error: unknown }): void => void faults.push(error);
  channels.fault.subscribe(onFault as () => void);
  t.after(() => channels.fault.unsubscribe(onFault as () => void));
  for (const [request, status] of [
    ["TRACE /a HTTP/1.1\r\nHost: a\r\n\r\n", 501],
    ["POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501],
    ["CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 501],
  ] as const) {
    assert.deepEqual((await sendRaw(base, request, { answers: 1 })).statuses, [status]);
  }
  assert.deepEqual(faults, []);
});

test("an upstream that ends its lines without CR is told of at once, not when its time is up", async (t) => {
  const { base } = await startRawGateway(t, {
    answer: (_request, socket) => {
      socket.write("HTTP/1.1 200 OK\nContent-Length: 2\n\nOK");
    },
  });
  const { statuses, text } = await sendRaw(base, NEXT);
  assert.deepEqual(statuses, [502]);
  assert.match(text, /UPSTREAM_MALFORMED/);
});

test("spaces that node:http takes beside the one before a target never go further", async (t) => {
  // A recipient may take them (RFC 9112 §3); its reader tells nobody that they were there, so that they cannot be refused.
  const { base, upstream } = await startRawGateway(t);
  const { statuses } = await sendRaw(base, "GET   /a HTTP/1.1\r\nHost: a\r\n\r\n", { answers: 1 });
  assert.deepEqual(statuses, [200]);
  assert.equal(upstream.requests.length, 1);
  assert.match(String(upstream.requests[0]), /^GET \/a HTTP\/1\.1\r\n/);
});

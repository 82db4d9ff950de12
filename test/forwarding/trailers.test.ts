import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import type { Http2ServerResponse } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import type { PorticoOptions } from "../../src/config/schema.ts";
import { certify } from "../support/certificate-files.ts";
import { missingOpenssl } from "../support/certificates.ts";
import { FLAG, field, frame, openFrames, section, TYPE } from "../support/http2-frames.ts";
import { startHttp2Service } from "../support/http2-service.ts";
import { sendRaw } from "../support/raw.ts";
import { startRawGateway } from "../support/raw-gateway.ts";

const skip = missingOpenssl() ?? false;
const folder = mkdtempSync(join(tmpdir(), "portico-trailers-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const secure = (): PorticoOptions => ({ listen: { tls: certify(folder, "front.test"), http2: true } });

/** Each would have framed, routed, authenticated or controlled the request, or is the gateway's alone to say. */
const FORBIDDEN = [
  "Host: b",
  "Connection: x-sum",
  "Keep-Alive: 1",
  "TE: gzip",
  "Trailer: X-A",
  "Upgrade: h2c",
  "Expect: 100-continue",
  "Authorization: Bearer x",
  "Proxy-Authorization: Basic x",
  "Cookie: a=b",
  "Set-Cookie: a=b",
  "Content-Type: text/html",
  "Content-Encoding: gzip",
  "Content-Range: bytes 0-1/2",
  "Cache-Control: no-store",
  "Range: bytes=0-1",
  "If-Match: *",
  "Max-Forwards: 1",
  "Via: 1.1 other",
  "Forwarded: for=10.0.0.1",
  "X-Forwarded-For: 10.0.0.1",
  "X-Forwarded-User: root",
  "X-Real-IP: 10.0.0.1",
  "X-Consumer-Name: root",
  "X-Original-URL: /admin",
  "X_Sum: 2",
];
const GOOD: [string, string][] = [
  ["x-sum", "abc"],
  ["content-digest", "sha-256=:AA==:"],
  ["x-sum", "def"],
];
const chunked = (lines: readonly string[], fields = ""): string =>
  `POST /a HTTP/1.1\r\nHost: a\r\n${fields}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;
const lines = GOOD.map(([name, value]) => `${name}: ${value}`);

/** Sends one request with trailers over HTTP/2. @returns its status */
async function postFrames(
  t: TestContext,
  base: string,
  trailers: readonly [string, string][],
): Promise<number | undefined> {
  const client = await openFrames(t, base);
  await client.send(
    frame(TYPE.headers, FLAG.endHeaders, 1, section({ ":method": "POST" }, [["trailer", "x-sum"]])),
    frame(TYPE.data, FLAG.none, 1, Buffer.from("hello")),
    frame(
      TYPE.headers,
      FLAG.endHeaders | FLAG.endStream,
      1,
      Buffer.concat(trailers.map(([name, value]) => field(name, value))),
    ),
  );
  return (await client.outcome(1)).status;
}

const TRAILED = "0\r\nx-sum: abc\r\ncontent-digest: sha-256=:AA==:\r\nx-sum: def\r\n\r\n";

test("trailers of a request in chunks follow its body, and nothing else does", async (t) => {
  const { base, upstream } = await startRawGateway(t);
  const bytes = chunked([...FORBIDDEN, ...lines], "Trailer: X-Sum\r\nTE: trailers\r\nConnection: TE\r\n");
  assert.deepEqual((await sendRaw(base, bytes, { answers: 1 })).statuses, [200]);
  const [request] = upstream.requests as [string];
  const end = request.indexOf("\r\n\r\n");
  assert.equal(request.slice(end + 4), `5\r\nhello\r\n${TRAILED}`);
  assert.match(request, /\r\nTrailer: X-Sum\r\n/);
  assert.match(request, /\r\nConnection: keep-alive, TE\r\nTE: trailers\r\n/);
  assert.doesNotMatch(request.slice(0, end), /abc/);
});

test("trailers of a request over HTTP/2 follow its chunks to HTTP/1.1", { skip }, async (t) => {
  const { base, upstream } = await startRawGateway(t, { options: secure() });
  const forbidden = FORBIDDEN.flatMap((line): [string, string][] => {
    const [name, value] = line.toLowerCase().split(": ") as [string, string];
    return ["transfer-encoding", "connection", "keep-alive", "upgrade", "te", "host"].includes(name)
      ? []
      : [[name, value]];
  });
  assert.equal(await postFrames(t, base, [...forbidden, ...GOOD]), 200);
  const [request] = upstream.requests as [string];
  assert.ok(request.endsWith(`5\r\nhello\r\n${TRAILED}`), request);
});

for (const [what, send] of [
  [
    "HTTP/1.1",
    async (_t: TestContext, base: string) =>
      (await sendRaw(base, chunked([...FORBIDDEN, ...lines], "Trailer: x-sum\r\n"), { answers: 1 })).statuses[0],
  ],
  ["HTTP/2", (t: TestContext, base: string) => postFrames(t, base, GOOD)],
] as const) {
  test(`trailers of a request over ${what} follow its body to HTTP/2`, { skip }, async (t) => {
    const service = await startHttp2Service(t, (_request, response) => response.end("OK"));
    const options = what === "HTTP/2" ? { options: secure() } : {};
    const { base } = await startRawGateway(t, { ...options, route: service.route });
    assert.equal(await send(t, base), 200);
    const [seen] = service.seen as [(typeof service.seen)[number]];
    assert.deepEqual([seen.version, seen.body], ["2.0", "hello"]);
    assert.deepEqual(seen.trailers, ["x-sum", "abc, def", "content-digest", "sha-256=:AA==:"]);
    assert.ok(seen.fields.includes("trailer"));
  });
}

for (const [what, trailers] of [
  ["20 KB", [`X-Sum: ${"a".repeat(20_000)}`]],
  ["1 MB", [`X-Sum: ${"a".repeat(1_000_000)}`]],
  ["3,000 fields", Array.from({ length: 3_000 }, (_, i) => `X-${i}: 1`)],
  ["a length", ["Content-Length: 5"]],
  ["a coding", ["Transfer-Encoding: chunked"]],
  ["a line folded", ["X-Sum: 1", " 2"]],
  ["a name with a space", ["X-Sum : 1"]],
  ["a bare LF", ["X-Sum: 1\nX-B: 2"]],
] as const) {
  test(`a request with ${what} for trailers is answered 400, and nothing of it is asked for`, async (t) => {
    const { base, upstream } = await startRawGateway(t);
    const { statuses } = await sendRaw(base, chunked(trailers), { answers: 1 });
    assert.deepEqual(statuses, [400]);
    assert.deepEqual(upstream.requests, []);
  });
}

test("the trailers of a body that was read whole are not sent", async (t) => {
  const { base, upstream } = await startRawGateway(t, { route: { validate: { request: "enforce" } } });
  await sendRaw(base, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTrailer: X-Sum\r\n\r\nhello", {
    answers: 1,
  });
  assert.match(String(upstream.requests[0]), /Content-Length: 5\r\n\r\nhello$/);
  assert.doesNotMatch(String(upstream.requests[0]), /x-sum/i);
});

const CHUNKED_ANSWER =
  "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\nX-Sum: abc\r\nSet-Cookie: a=b\r\nContent-Type: text/html\r\n\r\n";
const GET = "GET /a HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE, close\r\n\r\n";
const answerTrailed = (_request: unknown, response: Http2ServerResponse): void => {
  response.setHeader("trailer", "x-sum");
  response.addTrailers({ "x-sum": "abc", "set-cookie": "a=b" });
  response.end("OK");
};

for (const [what, isHttp2] of [
  ["HTTP/1.1", false],
  ["HTTP/2", true],
] as const) {
  test(`trailers of an answer over ${what} reach clients of both`, { skip }, async (t) => {
    const route = isHttp2 ? (await startHttp2Service(t, answerTrailed)).route : {};
    const settings = {
      route,
      answer: (_request: string, socket: { write(text: string): void }) => void socket.write(CHUNKED_ANSWER),
    };
    const { base } = await startRawGateway(t, settings);
    const { text } = await sendRaw(base, GET);
    assert.match(text, /\r\ntrailer: x-sum\r\n/i);
    assert.match(text, /\r\n0\r\nx-sum: abc\r\n\r\n$/i);
    const { base: front } = await startRawGateway(t, { ...settings, options: secure() });
    const client = await openFrames(t, front);
    await client.send(frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, 1, section({}, [["te", "trailers"]])));
    assert.equal((await client.outcome(1)).status, 200);
    const isTrailer = ({ type, flags }: { type: number; flags: number }): boolean =>
      type === TYPE.headers && (flags & FLAG.endStream) !== 0;
    await client.received(TYPE.data, 1);
    await client.ended(1);
    assert.equal(client.frames.filter(isTrailer).length, 1);
  });
}

test("a streamed answer without trailers ends over HTTP/2, and raises nothing", { skip }, async (t) => {
  const { base } = await startRawGateway(t, {
    options: secure(),
    answer: (_request, socket) => {
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n");
      setImmediate(() => socket.write("0\r\n\r\n"));
    },
  });
  const client = await openFrames(t, base);
  await client.send(frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, 1, section({})));
  assert.equal((await client.ended(1)).type, TYPE.data);
});

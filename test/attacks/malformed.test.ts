import assert from "node:assert/strict";
import { test } from "node:test";
import { sendRaw } from "../support/raw.ts";
import { startRawGateway } from "../support/raw-gateway.ts";

// ATTACKS A, C 23 and 24: what readers could take differently is refused, and the connection with it.

const get = (fields: string, target = "/a"): string => `GET ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
const post = (fields: string, body = ""): string => `POST /a HTTP/1.1\r\nHost: a\r\n${fields}\r\n${body}`;
/** What an attacker hopes to slip through behind the first request. */
const HIDDEN = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";

const REFUSED: Readonly<Record<string, string>> = {
  "two different hosts": "GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
  "the same host twice": "GET /a HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
  "no host": "GET /a HTTP/1.1\r\n\r\n",
  "an empty host": "GET /a HTTP/1.1\r\nHost: \r\n\r\n",
  "a list of hosts": "GET /a HTTP/1.1\r\nHost: a, b\r\n\r\n",
  "a host with a user": "GET /a HTTP/1.1\r\nHost: u@a\r\n\r\n",
  "a host with a path": "GET /a HTTP/1.1\r\nHost: a/b\r\n\r\n",
  "a host with a query": "GET /a HTTP/1.1\r\nHost: a?b\r\n\r\n",
  "a host with a bad port": "GET /a HTTP/1.1\r\nHost: a:8x\r\n\r\n",
  "another host in the target": "GET http://b/a HTTP/1.1\r\nHost: a\r\n\r\n",
  "another scheme in the target": get("", "ftp://a/a"),
  "a target without a slash": get("", "a"),
  "an asterisk with GET": get("", "*"),
  "a fragment": get("", "/a#b"),
  "a backslash": get("", "/a\\b"),
  "bytes above 127 in the target": get("", "/\xff"),
  "a bare LF in the request line": "GET /a HTTP/1.1\nHost: a\r\n\r\n",
  "a bare LF after a field": "GET /a HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
  "a bare CR in a value": get("X: a\rb\r\n"),
  "NUL in a value": get("X: a\0b\r\n"),
  "NUL in a name": get("X\0: a\r\n"),
  "a line folded": get("X: a\r\n b\r\n"),
  "a space before the colon": get("X : a\r\n"),
  "an empty name": get(": a\r\n"),
  "a line without a colon": get("X\r\n"),
  "a space before the first field": "GET /a HTTP/1.1\r\n Host: a\r\n\r\n",
  "a version of HTTP that is not": "GET /a HTTP/1.2\r\nHost: a\r\n\r\n",
  "HTTP 9.9": "GET /a HTTP/9.9\r\nHost: a\r\n\r\n",
  "HTTP 2.0 as text": "GET /a HTTP/2.0\r\nHost: a\r\n\r\n",
  "the preface of HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "a length and chunks": post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
  "chunks and a length": post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"),
  "two lengths": post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello"),
  "one length twice": post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"),
  "a list of lengths": post("Content-Length: 5, 5\r\n", "hello"),
  "a length with a sign": post("Content-Length: +5\r\n", "hello"),
  "a length in hex": post("Content-Length: 0x5\r\n", "hello"),
  "a length below nothing": post("Content-Length: -0\r\n"),
  "a length with zeros in front": post("Content-Length: 005\r\n", "hello"),
  "a length with a space in it": post("Content-Length: 1 0\r\n", "hello"),
  "an empty length": post("Content-Length:\r\n"),
  "a length beyond counting": post("Content-Length: 18446744073709551621\r\n", "hello"),
  "a length in an underscored field": post("Content_Length: 5\r\n", "hello"),
  "chunks in an underscored field": post("Transfer_Encoding: chunked\r\n", "0\r\n\r\n"),
  "an unknown coding": post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"),
  "a coding before chunked": post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"),
  "identity before chunked": post("Transfer-Encoding: identity, chunked\r\n", "0\r\n\r\n"),
  "identity after chunked": post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"),
  "chunked twice in a list": post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"),
  "chunked in two fields": post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
  "a coding with a parameter": post("Transfer-Encoding: chunked;a=b\r\n", "0\r\n\r\n"),
  "a vertical tab in the coding": post("Transfer-Encoding: \x0bchunked\r\n", "0\r\n\r\n"),
  "a folded coding": post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"),
  "chunks in HTTP/1.0": "POST /a HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  "two content types": post("Content-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 0\r\n"),
  "a chunk size with an underscore": post("Transfer-Encoding: chunked\r\n", "1_0\r\nhello\r\n0\r\n\r\n"),
  "a chunk size with a sign": post("Transfer-Encoding: chunked\r\n", "+5\r\nhello\r\n0\r\n\r\n"),
  "a chunk size with 0x": post("Transfer-Encoding: chunked\r\n", "0x5\r\nhello\r\n0\r\n\r\n"),
  "a chunk size beyond counting": post("Transfer-Encoding: chunked\r\n", "FFFFFFFFFFFFFFFF0\r\nhello\r\n0\r\n\r\n"),
  "a chunk size that ends in a bare LF": post("Transfer-Encoding: chunked\r\n", "5\nhello\r\n0\r\n\r\n"),
  "a chunk without its end": post("Transfer-Encoding: chunked\r\n", "5\r\nhello0\r\n\r\n"),
  "a bare LF in a chunk extension": post("Transfer-Encoding: chunked\r\n", "5;a\nhello\r\n0\r\n\r\n"),
  "a bare CR in a chunk extension": post("Transfer-Encoding: chunked\r\n", "5;a\rhello\r\n0\r\n\r\n"),
  "an unknown method": "FROB /a HTTP/1.1\r\nHost: a\r\n\r\n",
  TRACE: "TRACE /a HTTP/1.1\r\nHost: a\r\n\r\n",
  CONNECT: "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n",
  "an unknown expectation": get("Expect: 200-ok\r\n"),
  "an expectation with something before it": get("Expect: y 100-continue\r\n"),
  "a header section of 70 KB": get(`X: ${"a".repeat(70_000)}\r\n`),
  "101 fields": get("X: a\r\n".repeat(101)),
  "3,000 fields": get("X: a\r\n".repeat(3_000)),
  "10,000 cookies": get(`Cookie: ${"a=b; ".repeat(10_000)}\r\n`),
};
const EXPECTED: Readonly<Record<string, number>> = {
  "a version of HTTP that is not": 505,
  "HTTP 9.9": 505,
  "HTTP 2.0 as text": 505,
  TRACE: 501,
  CONNECT: 501,
  "an unknown expectation": 417,
  "an expectation with something before it": 417,
  "a header section of 70 KB": 431,
  "101 fields": 431,
  "3,000 fields": 431,
  "10,000 cookies": 431,
};

test("what readers could take differently is refused with a problem document, and the connection ends", async (t) => {
  const { base, upstream } = await startRawGateway(t);
  for (const [what, bytes] of Object.entries(REFUSED)) {
    const reached = upstream.requests.length;
    const { statuses, text, isClosed } = await sendRaw(base, bytes + HIDDEN);
    // An unknown coding may be found out by the parser or by us.
    const expected = text.includes("CODING_UNKNOWN") ? 501 : (EXPECTED[what] ?? 400);
    assert.deepEqual(statuses, [expected], `${what}: ${text.slice(0, 200)}`);
    assert.ok(isClosed, `${what}: the connection stays open`);
    assert.match(text, /application\/problem\+json[\s\S]*"requestId"/, what);
    assert.ok(!upstream.requests.slice(reached).some((request) => request.includes("hidden")), `${what}: smuggled`);
    if (!what.includes("chunk")) assert.equal(upstream.requests.length, reached, `${what}: reached the upstream`);
  }
});

test("a request line without a version is not answered as one of HTTP/1.1", async (t) => {
  const { base, upstream } = await startRawGateway(t);
  const { statuses } = await sendRaw(base, "GET /a\r\n\r\n");
  assert.ok(statuses.length === 0 || statuses[0] === 400);
  assert.equal(upstream.requests.length, 0);
});

test("a method that the path does not have is answered 405 with Allow", async (t) => {
  const { base } = await startRawGateway(t);
  const { text } = await sendRaw(base, "PATCH / HTTP/1.1\r\nHost: a\r\n\r\n", { answers: 1 });
  assert.match(text, /^HTTP\/1\.1 405 /);
  assert.match(text, /\r\nAllow: .*GET/);
});

test("OPTIONS * asks the gateway and reaches no upstream", async (t) => {
  const { base, upstream } = await startRawGateway(t);
  const { statuses } = await sendRaw(base, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", { answers: 1 });
  assert.deepEqual(statuses, [204]);
  assert.equal(upstream.requests.length, 0);
});

test("a target in absolute form that names the same host is the path it holds", async (t) => {
  const { base, upstream } = await startRawGateway(t);
  const { statuses } = await sendRaw(base, "GET http://A/a?b HTTP/1.1\r\nHost: a\r\n\r\n", { answers: 1 });
  assert.deepEqual(statuses, [200]);
  assert.match(upstream.requests[0] ?? "", /^GET \/a\?b HTTP\/1\.1\r\n/);
});

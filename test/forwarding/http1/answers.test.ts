import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readWithNode, readWithOurs, startByteUpstream } from "../../support/byte-upstream.ts";

const CANONICAL: [string, string, string][] = [
  ["of a known length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: a b\r\nx: c\r\n\r\nhello", "hello"],
  [
    "in chunks",
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a="b"\r\nhello\r\n01\r\n!\r\n0\r\n\r\n',
    "hello!",
  ],
  [
    "with trailers",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n",
    "ok",
  ],
  ["until the connection closes", "HTTP/1.0 200 OK\r\nServer: old\r\n\r\nall of it", "all of it"],
  [
    "after hints",
    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 \r\nContent-Length: 2\r\n\r\nok",
    "ok",
  ],
  ["without a body", "HTTP/1.1 204 No Content\r\nX: \t \r\n\r\n", ""],
  ["unchanged", 'HTTP/1.1 304 Not Modified\r\nContent-Length: 12\r\nETag: "a"\r\n\r\n', ""],
];

for (const [what, bytes, body] of CANONICAL) {
  test(`an answer ${what} is the same wherever it is cut in two`, async (t) => {
    const upstream = await startByteUpstream(t);
    upstream.pieces = [bytes];
    const whole = await readWithOurs(t, upstream, "GET");
    assert.equal(whole?.body, body);
    assert.deepEqual(whole, await readWithNode(upstream, "GET"));
    for (let i = 1; i < bytes.length; i++) {
      upstream.pieces = [bytes.slice(0, i), bytes.slice(i)];
      assert.deepEqual(await readWithOurs(t, upstream, "GET"), whole, `cut at ${i}`);
    }
    upstream.pieces = [...bytes];
    assert.deepEqual(await readWithOurs(t, upstream, "GET"), whole, "byte by byte");
  });

  test(`an answer ${what} that breaks off is never taken for a whole one`, async (t) => {
    const upstream = await startByteUpstream(t);
    for (let i = 0; i < bytes.length; i++) {
      upstream.pieces = [bytes.slice(0, i)];
      const reading = await readWithOurs(t, upstream, "GET");
      const endsWithConnection = what.startsWith("until") && i >= bytes.indexOf("\r\n\r\n") + 4;
      if (!endsWithConnection) assert.equal(reading, undefined, JSON.stringify(bytes.slice(0, i)));
    }
  });
}

// Each would be read one way by some and another way by others.
for (const bytes of [
  "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
  "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\n",
  "HTTP/1.1 200 OK\r\nContent-Length: 0\r\r\n\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
  "HTTP/1.1 200 OK\r\n Content-Length: 0\r\n\r\n",
  "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 200 OK\r\n: a\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 200 OK\r\nX\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 200 OK\r\nX(: a\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 200 OK\r\nX: a\x01\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 200 OK\r\nX: a\x7f\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
  "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\na",
  "HTTP/1.1 200 OK\r\nContent-Length: 1\t\r\n\r\na",
  "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na",
  "HTTP/1.1 200 OK\r\nContent-Length: 0x1\r\n\r\na",
  "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\na",
  "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\na",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  "HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\nok",
  "HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  "HTTP/1.1 304 No\r\n\r\nbody",
  "HTTP/1.1 100 Continue\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.0 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
  "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n",
  "HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n",
  "http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n",
  "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokay",
  ...[
    "0x5\r\nhello\r\n0\r\n\r\n",
    "+5\r\nhello\r\n0\r\n\r\n",
    "5 \r\nhello\r\n0\r\n\r\n",
    "5\nhello\r\n0\r\n\r\n",
    "5\r\nhello0\r\n\r\n",
    "5\r\nhello\n0\r\n\r\n",
    "\r\nhello\r\n0\r\n\r\n",
    "5;\r\nhello\r\n0\r\n\r\n",
    "5;a\rb\r\nhello\r\n0\r\n\r\n",
    "fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    `5;${"a".repeat(5_000)}\r\nhello\r\n0\r\n\r\n`,
    `${`1;${"a".repeat(4_000)}\r\nh\r\n`.repeat(6)}0\r\n\r\n`,
    "0\r\nContent-Length: 1\r\n\r\n",
    "0\r\nX : 1\r\n\r\n",
    `0\r\nX: ${"a".repeat(20_000)}\r\n\r\n`,
    "0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
  ].map((chunks) => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`),
]) {
  test(`refused: ${JSON.stringify(bytes.length > 90 ? `${bytes.slice(0, 90)}…` : bytes)}`, async (t) => {
    const upstream = await startByteUpstream(t);
    for (const cut of [bytes.length, bytes.indexOf("\r\n\r\n") + 4, 3]) {
      upstream.pieces = [bytes.slice(0, cut), bytes.slice(cut)];
      assert.equal(await readWithOurs(t, upstream, "GET"), undefined);
    }
  });
}

const token = fc.stringMatching(/^[A-Za-z!#$%&'*+.^_`|~-]{1,12}$/);
const value = fc.stringMatching(/^[\x21-\x7e\x80-\xff]([\t\x20-\x7e\x80-\xff]{0,20}[\x21-\x7e\x80-\xff])?$/);
const text = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 60,
});
const field = fc
  .tuple(token, value)
  .filter(([name]) => !/^(content-length|transfer-encoding|connection|upgrade)$/i.test(name));
const fields = fc
  .array(field, { maxLength: 5 })
  .map((list) => list.map(([name, own]) => `${name}: ${own}\r\n`).join(""));
const extension = fc.option(
  token.map((name) => `;${name}`),
  { nil: "" },
);
const chunk = fc.tuple(text, extension).filter(([data]) => data.length > 0);

/** A valid answer, as bytes. */
const answer = fc
  .record({
    status: fc.constantFrom(200, 201, 204, 206, 304, 404, 500, 599),
    version: fc.constantFrom("1.1", "1.1", "1.0"),
    hints: fc.constantFrom("", "", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
    reason: fc.constantFrom(" OK", " ", ""),
    fields,
    framing: fc.constantFrom("length", "chunks", "close"),
    body: text,
    chunks: fc.array(chunk, { maxLength: 4 }),
    trailers: fc.constantFrom("", "", "X-Sum: 1\r\n"),
  })
  .map(({ status, version, hints, reason, fields: own, framing, body, chunks, trailers }) => {
    const head = `${hints}HTTP/${version} ${status}${reason}\r\n${own}`;
    if (status === 204 || status === 304) return `${head}\r\n`;
    if (framing === "length") return `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
    if (framing === "close" || version === "1.0") return `${head}Connection: close\r\n\r\n${body}`;
    const data = chunks.map(([part, more]) => `${part.length.toString(16)}${more}\r\n${part}\r\n`).join("");
    return `${head}Transfer-Encoding: chunked\r\n\r\n${data}0\r\n${trailers}\r\n`;
  });

/** Changes that make another message of it, or none. */
const mutation = fc.record({
  at: fc.nat(),
  what: fc.constantFrom("insert", "delete", "replace", "repeat"),
  bytes: fc.constantFrom(
    "\r",
    "\n",
    "\r\n",
    "\0",
    " ",
    ":",
    ";",
    "\t",
    "0",
    "f",
    "\x7f",
    "Content-Length: 3\r\n",
    "Transfer-Encoding: chunked\r\n",
    "\r\n\r\n",
    "HTTP/1.1 200 OK\r\n",
  ),
});
type Mutation = { at: number; what: string; bytes: string };
function mutate(bytes: string, { at, what, bytes: own }: Mutation): string {
  const i = at % (bytes.length + 1);
  if (what === "insert") return bytes.slice(0, i) + own + bytes.slice(i);
  if (what === "delete") return bytes.slice(0, i) + bytes.slice(i + own.length);
  if (what === "replace") return bytes.slice(0, i) + own + bytes.slice(i + own.length);
  return bytes.slice(0, i) + bytes.slice(Math.max(0, i - 20));
}
const cut = (bytes: string, cuts: readonly number[]): string[] => {
  const places = [...new Set(cuts.map((each) => each % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, i) => bytes.slice(from, places[i] ?? bytes.length)).filter((piece) => piece !== "");
};

test("valid answers are read as node:http reads them, however they are cut", async (t) => {
  const upstream = await startByteUpstream(t);
  await fc.assert(
    fc.asyncProperty(answer, fc.array(fc.nat(), { maxLength: 4 }), async (bytes, cuts) => {
      upstream.pieces = cut(bytes, cuts);
      const ours = await readWithOurs(t, upstream, "GET");
      assert.notEqual(ours, undefined);
      assert.deepEqual(ours, await readWithNode(upstream, "GET"));
    }),
    { numRuns: 300, seed: 9112 },
  );
});

test("what node:http refuses is refused, and what both take means the same to both", async (t) => {
  const upstream = await startByteUpstream(t);
  await fc.assert(
    fc.asyncProperty(
      answer,
      fc.array(mutation, { minLength: 1, maxLength: 2 }),
      fc.array(fc.nat(), { maxLength: 3 }),
      fc.constantFrom("GET", "HEAD"),
      async (bytes, mutations, cuts, method) => {
        upstream.pieces = cut(mutations.reduce(mutate, bytes), cuts);
        const ours = await readWithOurs(t, upstream, method);
        if (ours === undefined) return;
        assert.deepEqual(ours, await readWithNode(upstream, method));
      },
    ),
    { numRuns: 600, seed: 9112 },
  );
});

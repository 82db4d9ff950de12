import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { sendRaw } from "../support/raw.ts";
import { startRawGateway } from "../support/raw-gateway.ts";

// A mutation smuggler: whatever is done to the framing of a request, the one hidden in its body never becomes a request.

const HIDDEN = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
const spaces = fc.constantFrom("", " ", "\t", "  ", "\x0b", "\x0c", "\x00", "\r", "\n", "\r\n ");
const lengthName = fc.constantFrom(
  "Content-Length",
  "content-length",
  "Content_Length",
  "Content-Length\t",
  "Content-\x00Length",
);
const codingName = fc.constantFrom(
  "Transfer-Encoding",
  "transfer-encoding",
  "Transfer_Encoding",
  "Transfer-Encoding ",
  "X: y\nTransfer-Encoding",
);
const coding = fc.constantFrom(
  "chunked",
  "Chunked",
  "xchunked",
  "chunked, identity",
  "identity",
  "gzip, chunked",
  "chunked\x00",
  '"chunked"',
  "chunked;q=1",
);
const size = fc.constantFrom("0", "00", "0;a=b", "0 ", "+0", "-0", "0x0", "0_0", "10000000000000000", "0\n", "0\r");
const length = (bytes: number): fc.Arbitrary<string> =>
  fc.constantFrom(
    `${bytes}`,
    `+${bytes}`,
    `0${bytes}`,
    `${bytes} `,
    `${bytes}, ${bytes}`,
    "0",
    `0x${bytes.toString(16)}`,
    `${bytes}\r\nContent-Length: 0`,
  );

test("no mutation of a request's framing lets the request in its body out", async (t) => {
  const { base, upstream } = await startRawGateway(t);
  const mutation = fc.record({
    method: fc.constantFrom("GET", "POST", "OPTIONS", "HEAD", "DELETE"),
    codingName,
    coding,
    before: spaces,
    after: spaces,
    size,
    lengthName,
    isCodingFirst: fc.boolean(),
    version: fc.constantFrom("HTTP/1.1", "HTTP/1.0"),
  });
  await fc.assert(
    fc.asyncProperty(mutation, fc.boolean(), async (made, hasLength) => {
      const chunked = `${made.size}\r\n\r\n${HIDDEN}`;
      const [value] = fc.sample(length(chunked.length), 1);
      const fields = [
        `${made.codingName}:${made.before}${made.coding}${made.after}`,
        ...(hasLength ? [`${made.lengthName}: ${value}`] : []),
      ];
      if (!made.isCodingFirst) fields.reverse();
      const request = `${made.method} / ${made.version}\r\nHost: a\r\n${fields.join("\r\n")}\r\n\r\n${chunked}`;
      const reached = upstream.requests.length;
      const { text, isClosed } = await sendRaw(base, request, { answers: 2, quietMs: 30 });
      const seen = upstream.requests.slice(reached);
      // A body that ends where every reader ends it leaves what follows a request of its own, which is no smuggling.
      const isPlain =
        /^0+(;a=b)?$/.test(made.size) && /^[\t ]*chunked[\t ]*$/i.test(`${made.before}${made.coding}${made.after}`);
      const isClean =
        isPlain && !hasLength && /^transfer-encoding$/i.test(made.codingName) && made.version === "HTTP/1.1";
      const hasNoFraming = !hasLength && made.codingName.includes("\n") === false && seen.length === 0;
      if (isClean) return;
      assert.ok(!seen.some((bytes) => bytes.startsWith("GET /hidden")), JSON.stringify([request, seen]));
      assert.ok(hasNoFraming || isClosed || seen.length <= 1, JSON.stringify([request, text]));
    }),
    { numRuns: 150, seed: 20 },
  );
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { mutation, toRequest } from "../support/mutated-request.ts";
import { sendRaw } from "../support/raw.ts";
import { startRawGateway } from "../support/raw-gateway.ts";

// ATTACKS A: two readers of one request are what smuggling lives on. Here there are two, and they must not differ.

/** Without what differs from one request to the next. */
const plain = (text: string): string =>
  text
    .replace(/^Date: .*$/gm, "Date")
    .replace(/"requestId":"[^"]*"/g, "")
    .replace(/^Content-Length: .*$/gm, "Length");

test("a request is answered and forwarded alike by the lane and by node:http, however odd it is", async (t) => {
  const { base, upstream } = await startRawGateway(t);
  const port = Number(new URL(base).port);
  const send = async (request: string): Promise<string[]> => {
    const before = upstream.requests.length;
    const { text } = await sendRaw(base, request, { answers: 1, quietMs: 300 });
    return [plain(text), ...upstream.requests.slice(before)];
  };
  /** The first byte comes alone: no lane takes that. */
  const sendToNode = (request: string): Promise<string[]> => sendInTwo(request, 1);
  const sendInTwo = async (request: string, cut: number): Promise<string[]> => {
    const before = upstream.requests.length;
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    socket.on("error", () => {});
    await once(socket, "connect");
    socket.write(request.slice(0, cut), "latin1");
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    const { text } = await sendRaw(socket, request.slice(cut), { answers: 1, quietMs: 300 });
    return [plain(text), ...upstream.requests.slice(before)];
  };
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(mutation, fc.boolean(), fc.nat(12), async (made, isChunked, bodyBytes) => {
      const request = toRequest(
        { ...made, isChunked: made.isChunked && isChunked },
        "one",
        "GET /two HTTP/1.1\r\nHost: a\r\n\r\n",
      );
      const byLane = await send(request);
      assert.deepEqual(byLane, await sendToNode(request), JSON.stringify(request));
      // A lane waits for the rest of a body, and for nothing else. (Chunks are forwarded as they come: cut, they are others.)
      const cut = Math.min(request.length - 1, request.indexOf("\r\n\r\n") + 4 + bodyBytes);
      if (!/chunked/i.test(request)) {
        assert.deepEqual(await sendInTwo(request, cut), byLane, `cut at ${cut}: ${JSON.stringify(request)}`);
      }
      if (byLane[0]?.startsWith("HTTP/1.1 200") === true) taken++;
    }),
    { numRuns: 500, seed: 7 },
  );
  assert.ok(taken > 50, "too few are taken to say anything");
});

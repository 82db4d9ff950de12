import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { mutation, toRequest } from "../support/mutated-request.ts";
import { answerOk, type RawUpstream, sendRaw } from "../support/raw.ts";
import { startRawGateway } from "../support/raw-gateway.ts";

// ATTACKS A, B 18: odd bytes anywhere in a request, 1,000 times. What is taken is one request upstream, framed once.

// Two bytes that nobody asked for would spoil the connection, and the request would rightly be sent again.
const answer: RawUpstream["answer"] = (request, socket) => {
  if (request.startsWith("HEAD ")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
  else answerOk(request, socket);
};

test("of a thousand mutated requests, each that is taken is one request upstream with one framing", async (t) => {
  const { base, upstream } = await startRawGateway(t, { answer });
  const answered = new Map<string, { request: string; status: number | undefined }>();
  let count = 0;
  await fc.assert(
    fc.asyncProperty(mutation, async (made) => {
      const name = `m${count++}`;
      const hidden = `GET /hidden-${name} HTTP/1.1\r\nHost: a\r\n\r\n`;
      const request = toRequest(made, name, hidden);
      const { statuses } = await sendRaw(base, request, { answers: 1, quietMs: 300 });
      answered.set(name, { request, status: statuses[0] });
      if (count % 50 > 0) return;
      const canary = await sendRaw(base, `GET /canary${count} HTTP/1.1\r\nHost: a\r\n\r\n`, { answers: 1 });
      assert.deepEqual(canary.statuses, [200], request);
      assert.match(canary.text, /\r\n\r\nOK$/);
    }),
    { numRuns: 1_000, seed: 44 },
  );
  for (const seen of upstream.requests) {
    const head = seen.slice(0, seen.indexOf("\r\n\r\n"));
    assert.match(head, /^[A-Z]+ \/\S* HTTP\/1\.1\r\n/);
    assert.doesNotMatch(head.replaceAll("\r\n", ""), /[\0\r\n]/, seen);
    assert.equal(head.match(/\r\nhost:/gi)?.length, 1, seen);
    assert.ok((head.match(/\r\n(content.length|transfer.encoding):/gi)?.length ?? 0) <= 1, seen);
    const name = /^GET \/hidden-(m\d+)/.exec(seen)?.[1];
    const request = name === undefined ? "" : (answered.get(name)?.request ?? "");
    const isFramed = /\r\n(content-length|transfer-encoding):/i.test(request.slice(0, request.indexOf("\r\n\r\n")));
    // Without a framing field there is no body: what follows is a request of its own.
    assert.ok(name === undefined || !isFramed, JSON.stringify([request, seen]));
  }
  for (const [name, { request, status }] of answered) {
    const times = upstream.requests.filter((seen) => new RegExp(`^[A-Z]+ /${name}(?!\\d)`).test(seen)).length;
    assert.ok(times <= 1, JSON.stringify(request));
    if (status === 400) assert.equal(times, 0, JSON.stringify(request));
  }
  assert.ok(
    [...answered.values()].filter(({ status }) => status === 200).length > 50,
    "too few are taken to say anything",
  );
});

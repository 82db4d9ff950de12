import assert from "node:assert/strict";
import { once } from "node:events";
import { get, type IncomingMessage, type RequestListener } from "node:http";
import { test } from "node:test";
import zlib, { brotliDecompressSync, gunzipSync } from "node:zlib";
import { startPluginGateway } from "../support/plugin-gateway.ts";

const text = JSON.stringify(Array.from({ length: 500 }, (_, id) => ({ id, name: "a thing" })));

const HAS_ZSTD = "zstdDecompressSync" in zlib;
const unzstd = (zlib as unknown as { zstdDecompressSync: (bytes: Buffer) => Buffer }).zstdDecompressSync;

const ask = (url: string, accept: string, method = "GET"): Promise<{ answer: IncomingMessage; body: Buffer }> =>
  new Promise((resolve, reject) => {
    get(url, { method, headers: { "accept-encoding": accept } }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => resolve({ answer, body: Buffer.concat(chunks) }));
    }).on("error", reject);
  });

test("an answer is compressed as the client takes it, and its tag becomes weak", async (t) => {
  const { url } = await startPluginGateway(t, ["compress"], {
    service: (_request, response) => {
      response.writeHead(200, { "content-type": "application/json", etag: '"1"', "content-length": text.length });
      response.end(text);
    },
  });
  const br = await ask(`${url}/things`, "gzip, br");
  assert.equal(br.answer.headers["content-encoding"], "br");
  assert.equal(br.answer.headers["content-length"], String(br.body.length));
  assert.equal(br.answer.headers.etag, 'W/"1"');
  assert.equal(br.answer.headers.vary, "Accept-Encoding");
  assert.equal(String(brotliDecompressSync(br.body)), text);
  const gzip = await ask(`${url}/things`, "gzip, br;q=0.5");
  assert.equal(String(gunzipSync(gzip.body)), text);
  for (const none of ["identity", "br;q=0, gzip;q=0"]) {
    const { answer, body } = await ask(`${url}/things`, none);
    assert.equal(answer.headers["content-encoding"], undefined);
    assert.equal(answer.headers.vary, "Accept-Encoding");
    assert.equal(String(body), text);
  }
});

test("a stream is compressed as it flows", async (t) => {
  let finish = (): void => {};
  const { url } = await startPluginGateway(t, ["compress"], {
    service: (_request, response) => {
      response.setHeader("content-type", "text/plain");
      response.write(text);
      finish = () => response.end(text);
    },
  });
  const answer: IncomingMessage = await new Promise((resolve) => {
    get(`${url}/things`, { headers: { "accept-encoding": "gzip" } }, resolve);
  });
  assert.equal(answer.headers["content-length"], undefined);
  assert.equal(answer.headers["content-encoding"], "gzip");
  const chunks: Buffer[] = [];
  answer.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    finish();
  });
  await once(answer, "end");
  assert.equal(String(gunzipSync(Buffer.concat(chunks))), text + text);
});

const untouched: [string, Record<string, string>, string][] = [
  ["short answers", { "content-type": "application/json" }, "{}"],
  ["pictures", { "content-type": "image/png" }, text],
  ["what is already encoded", { "content-type": "text/plain", "content-encoding": "gzip" }, text],
  ["what must not be transformed", { "content-type": "text/plain", "cache-control": "public, no-transform" }, text],
];
for (const [name, headers, body] of untouched) {
  test(`${name} are left as they are`, async (t) => {
    const { url } = await startPluginGateway(t, ["compress"], {
      service: (_request, response) => response.writeHead(200, { ...headers, "content-length": body.length }).end(body),
    });
    const received = await ask(`${url}/things`, "br, gzip");
    assert.equal(received.answer.headers["content-encoding"], headers["content-encoding"]);
    assert.equal(String(received.body), body);
  });
}

const ofText =
  (headers: Record<string, string> = {}): RequestListener =>
  (_request, response) => {
    response.writeHead(200, { "content-type": "text/plain", "content-length": text.length, ...headers }).end(text);
  };

const WEIGHTS: [string, string | undefined][] = [
  ["gzip;q=0.9, br;q=0.8", "gzip"],
  ["gzip;q=0.8, br;q=0.9", "br"],
  ["*", "br"],
  ["*;q=0.5, br;q=0", !HAS_ZSTD ? "gzip" : "zstd"],
  ["gzip;q=0, *;q=0", undefined],
  ["x-gzip", "gzip"],
  ["GZIP", "gzip"],
  ["identity, gzip;q=0.5", undefined],
  ["gzip;q=nonsense", undefined],
  ["deflate, compress", undefined],
  ["", undefined],
];

test("the encoding is the one of the highest weight, and among equals the preferred one", async (t) => {
  const { url } = await startPluginGateway(t, ["compress"], { service: ofText() });
  for (const [accepted, encoding] of WEIGHTS) {
    const { answer } = await ask(`${url}/things`, accepted);
    assert.equal(answer.headers["content-encoding"], encoding, accepted);
    assert.equal(answer.headers.vary, "Accept-Encoding", accepted);
  }
});

test("zstd is spoken where Node has it", {
  skip: !HAS_ZSTD && "needs Node 22.15",
}, async (t) => {
  const { url } = await startPluginGateway(t, [{ compress: { encodings: ["zstd"] } }], { service: ofText() });
  const { answer, body } = await ask(`${url}/things`, "zstd");
  assert.equal(answer.headers["content-encoding"], "zstd");
  assert.equal(String(unzstd(body)), text);
});

for (const length of [text.length, undefined, 10]) {
  test(`HEAD has the fields of GET for an answer of ${length ?? "unknown"} length, whatever the client takes`, async (t) => {
    const body = text.slice(0, length);
    const told = length === undefined ? {} : { "content-length": length };
    const { url } = await startPluginGateway(t, ["compress"], {
      route: { cache: { mode: "off" } },
      service: (_request, response) => {
        response.writeHead(200, { "content-type": "text/plain", etag: '"1"', "accept-ranges": "bytes", ...told });
        response.flushHeaders();
        response.end(body);
      },
    });
    for (const accepted of ["br", "gzip", "identity"]) {
      const [head, whole] = await Promise.all([
        ask(`${url}/things`, accepted, "HEAD"),
        ask(`${url}/things`, accepted, "GET"),
      ]);
      const isCompressed = whole.answer.headers["content-encoding"] !== undefined;
      assert.equal(isCompressed, accepted !== "identity" && length !== 10);
      // Known once there is a body: HEAD may leave it out.
      const isLengthKnown = length !== undefined && !isCompressed;
      const expected = fieldsOf(whole.answer, isLengthKnown ? [] : ["content-length", "transfer-encoding"]);
      assert.deepEqual(fieldsOf(head.answer, []), expected, accepted);
    }
  });
}

function fieldsOf({ headers }: IncomingMessage, without: readonly string[]): object {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "date" && !without.includes(name)));
}

test("a part of an answer is passed as it is, and a compressed answer offers no parts", async (t) => {
  const { url } = await startPluginGateway(t, ["compress"], {
    service: (request, response) => {
      if (request.headers.range === undefined) return ofText({ "accept-ranges": "bytes" })(request, response);
      const part = text.slice(0, 5_000);
      const headers = { "content-type": "text/plain", "content-range": `bytes 0-4999/${text.length}` };
      return response.writeHead(206, headers).end(part);
    },
  });
  const part: IncomingMessage = await new Promise((resolve) => {
    get(`${url}/things`, { headers: { range: "bytes=0-4999", "accept-encoding": "gzip" } }, resolve);
  });
  part.resume();
  assert.equal(part.statusCode, 206);
  assert.equal(part.headers["content-encoding"], undefined);
  const whole = await ask(`${url}/things`, "gzip");
  assert.equal(whole.answer.headers["accept-ranges"], undefined);
});

test("who has a compressed answer and asks whether it changed is told of that one", async (t) => {
  const { url } = await startPluginGateway(t, ["compress"], {
    route: { cache: { mode: "off" } },
    service: (request, response) => {
      if (request.headers["if-none-match"] === undefined) return ofText({ etag: '"1"' })(request, response);
      return response.writeHead(304, { etag: '"1"' }).end();
    },
  });
  const first = await ask(`${url}/things`, "gzip");
  const etag = String(first.answer.headers.etag);
  assert.equal(etag, 'W/"1"');
  const again: IncomingMessage = await new Promise((resolve) => {
    get(`${url}/things`, { headers: { "if-none-match": etag, "accept-encoding": "gzip" } }, resolve);
  });
  again.resume();
  assert.equal(again.statusCode, 304);
  assert.equal(again.headers.etag, etag);
  assert.equal(again.headers.vary, "Accept-Encoding");
});

test("an event stream flows at once, uncompressed and unstored, however much is asked of it", async (t) => {
  const { url, seen } = await startPluginGateway(t, ["compress"], {
    route: { cache: { ttlSeconds: 60 } },
    service: (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`data: ${"x".repeat(5_000)}\n\n`);
    },
  });
  for (const turn of [1, 2]) {
    const answer: IncomingMessage = await new Promise((resolve) => {
      get(`${url}/things`, { headers: { "accept-encoding": "br, gzip" } }, resolve);
    });
    // The service never ends it: what arrives has been held back by nobody.
    const [first] = (await once(answer, "data")) as [Buffer];
    assert.match(String(first), /^data: x/);
    assert.equal(answer.headers["content-encoding"], undefined);
    assert.equal(seen.length, turn);
    answer.destroy();
  }
});

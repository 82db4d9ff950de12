import assert from "node:assert/strict";
import { get, type IncomingMessage } from "node:http";
import { test } from "node:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { startPluginGateway } from "../support/plugin-gateway.ts";

const text = JSON.stringify(Array.from({ length: 500 }, (_, id) => ({ id, name: "a thing" })));

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
  const { url } = await startPluginGateway(t, ["compress"], {
    service: (_request, response) => {
      response.setHeader("content-type", "text/plain");
      response.write(text);
      response.end(text);
    },
  });
  const { answer, body } = await ask(`${url}/things`, "gzip");
  assert.equal(answer.headers["content-length"], undefined);
  assert.equal(String(gunzipSync(body)), text + text);
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

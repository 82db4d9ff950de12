import assert from "node:assert/strict";
import { test } from "node:test";
import { folderWith } from "../support/cli.ts";
import { startPluginGateway } from "../support/plugin-gateway.ts";

/** What a plugin in JavaScript may make of a request, by the name in its X-Kind. */
const PLUGIN = `
  const kinds = {
    "body-text": (r) => { r.body = "text"; },
    "body-object": (r) => { r.body = { a: 1 }; },
    "body-bytes": (r) => { r.body = new Uint8Array(3); },
    "body-none": (r) => { r.body = undefined; },
    "method-none": (r) => { r.method = undefined; },
    "method-odd": (r) => { r.method = "GET /admin HTTP/1.1\\r\\nX:"; },
    "path-line": (r) => { r.path = "/a HTTP/1.1\\r\\nX-A: b"; },
    "path-space": (r) => { r.path = "/a b"; },
    "path-number": (r) => { r.path = 5; },
    "path-none": (r) => { r.path = undefined; },
    "query-line": (r) => { r.query = "a=b HTTP/1.1\\r\\nX-A: b"; },
    "query-none": (r) => { r.query = undefined; },
    "host-line": (r) => { r.headers.set("Host", "a\\r\\nX-A: b"); },
    "name-number": (r) => { r.headers.append(5, "a"); },
    "value-none": (r) => { r.headers.set("X-A", undefined); },
    "value-object": (r) => { r.headers.set("X-A", { toString() { return "a\\r\\nb"; } }); },
    "target-none": (r) => { r.target = undefined; },
  };
  export default { name: "makes", phase: "transform", options: { type: "object" }, setup() {
    return async (exchange, next) => {
      const { request } = exchange;
      const kind = request.headers.get("x-kind");
      if (kind === "reads") for await (const _ of request.body) ;
      kinds[kind]?.(request);
      return next(exchange);
    };
  } };
`;
const KINDS = [...PLUGIN.matchAll(/"([a-z-]+)": \(r\)/g)].map(([, name]) => String(name));

/** Odd, and yet one request: a field without a value is the text "undefined", and nothing decides by the target. */
const IS_SENT = new Set(["value-none", "target-none"]);

test("what a plugin in JavaScript makes of a request is sent as one request, or is a 500 with a code at once", async (t) => {
  const folder = await folderWith(t, { "makes.mjs": PLUGIN });
  const { url, seen } = await startPluginGateway(t, [`${folder}/makes.mjs`]);
  for (const method of ["GET", "POST"]) {
    for (const kind of KINDS) {
      seen.length = 0;
      const answer = await fetch(`${url}/things`, {
        method,
        headers: { "X-Kind": kind, "Content-Type": "text/plain" },
        ...(method === "POST" && { body: "abc" }),
        signal: AbortSignal.timeout(20_000),
      });
      const { code, detail } = (await answer.json()) as { code?: string; detail?: string };
      const wanted = IS_SENT.has(kind) ? [200, undefined, [`${method} /things`]] : [500, "PLUGIN_FAILED", []];
      assert.deepEqual([answer.status, code, seen], wanted, `${method} ${kind}`);
      if (!IS_SENT.has(kind)) assert.match(String(detail), /makes|a plugin has given/, kind);
    }
  }
});

test("a plugin that reads the body and leaves none in its place is told of, and the service gets no half of a request", async (t) => {
  const folder = await folderWith(t, { "makes.mjs": PLUGIN });
  const { url, seen } = await startPluginGateway(t, [`${folder}/makes.mjs`]);
  for (const length of [3, 200_000]) {
    const answer = await fetch(`${url}/things`, {
      method: "POST",
      headers: { "X-Kind": "reads", "Content-Type": "text/plain" },
      body: new Blob(["x".repeat(length)]).stream(),
      duplex: "half",
      signal: AbortSignal.timeout(20_000),
    } as RequestInit);
    assert.equal(answer.status, 500);
    assert.match(await answer.text(), /makes read the body and left none in its place/);
  }
  assert.deepEqual(seen, []);
});

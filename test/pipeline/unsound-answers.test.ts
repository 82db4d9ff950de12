import assert from "node:assert/strict";
import { connect } from "node:net";
import { type TestContext, test } from "node:test";
import { createGateway } from "../../src/gateway/gateway.ts";
import { folderWith } from "../support/cli.ts";
import { converse } from "../support/converse.ts";
import { eventually } from "../support/eventually.ts";

const SPEC = JSON.stringify({
  openapi: "3.1.0",
  info: { title: "T", version: "1" },
  paths: {
    "/{kind}": {
      parameters: [{ name: "kind", in: "path", required: true, schema: { type: "string" } }],
      get: { responses: { 200: { description: "ok" } } },
    },
  },
});

/** Plugins in JavaScript, which no compiler has looked at: one that is a handler, and one that is hooks. */
const ANSWERS = `
  const answers = {
    "status-text": (a) => { a.status = "200"; },
    "status-100": (a) => { a.status = 100; },
    "status-1000": (a) => { a.status = 1000; },
    "headers-plain": (a) => { a.headers = { "x-a": "b" }; },
    "headers-none": (a) => { a.headers = undefined; },
    "body-text": (a) => { a.body = "text"; },
    "body-object": (a) => { a.body = { a: 1 }; },
    "body-bytes": (a) => { a.body = new Uint8Array(2); },
    "body-none": (a) => { a.body = undefined; },
    "field-cr": (a) => { a.headers.set("X-A", "a\\r\\nX-B: b"); },
    "field-beyond-latin1": (a) => { a.headers.append("X-A", "\\u2028"); },
    "field-no-text": (a) => { a.headers.append("X-A", ["a\\n"]); },
    "field-name": (a) => { a.headers.append("X A:", "a"); },
    "field-name-cr": (a) => { a.headers.append("X-A\\r\\nX-B", "a"); },
    "trailer-cr": (a) => { a.trailers = a.headers.clone(); a.trailers.set("X-A", "a\\r\\n"); },
    "longer": (a) => { a.body = Buffer.from("longer than it was"); },
    "shorter": (a) => { a.body = Buffer.from("s"); },
  };
  const requests = {
    "request-none": (e) => { e.request = null; },
    "request-headers": (e) => { e.request.headers = {}; },
    "request-field": (e) => { e.request.headers.set("X-A", "a\\r\\nX-B: b"); },
    "request-name": (e) => { e.request.headers.append("X-A: b\\r\\nX-B", "b"); },
    "freezes": (e) => { Object.freeze(e); },
    "throws-text": () => { throw "text"; },
    "throws-nothing": () => { throw undefined; },
    "refuses": () => {
      const refusal = { [Symbol.for("portico.GatewayError")]: true, code: "FORBIDDEN", status: 403, message: "no" };
      throw { ...refusal, headers: { "X-A": "a\\r\\nX-B: b" } };
    },
  };
  const schema = { type: "object", properties: {}, additionalProperties: false };
`;
const HANDLER = `${ANSWERS}
  export default { name: "changes", phase: "authorize", options: schema, setup() {
    return async (exchange, next) => {
      const { kind } = exchange.pathParameters;
      requests[kind]?.(exchange);
      const answer = await next(exchange);
      answers[kind]?.(answer);
      return answer;
    };
  } };
`;
const HOOKS = `${ANSWERS}
  export default { name: "changes", phase: "authorize", options: schema, setup() {
    return {
      onRequest(exchange) {
        const { kind } = exchange.pathParameters;
        requests[kind]?.(exchange);
        if (kind === "thenable") return { then() {} };
        if (kind === "promise") return Promise.reject(new Error("nobody waits"));
        return kind;
      },
      onResponse(exchange, answer, kind) { answers[kind]?.(answer); },
    };
  } };
`;

async function start(t: TestContext, plugin: string): Promise<string> {
  const folder = await folderWith(t, { "spec.json": SPEC, "changes.mjs": plugin });
  const gateway = await createGateway({
    folder,
    port: 0,
    options: {},
    routes: [
      {
        openapi: "spec.json",
        plugins: ["./changes.mjs", { respond: { body: "as it was" } }],
        upstream: { targets: [{ url: "http://127.0.0.1:1" }] },
      },
    ],
  });
  t.after(() => gateway.close());
  return await gateway.listen();
}

for (const [name, plugin, more] of [
  ["a handler", HANDLER, []],
  ["hooks", HOOKS, ["thenable", "promise"]],
] as const) {
  test(`what ${name} in JavaScript makes of an answer and cannot be sent is a 500 with a code, at once`, async (t) => {
    const url = await start(t, plugin);
    const unsound = [
      ...["status-text", "status-100", "status-1000", "headers-plain", "headers-none"],
      ...["body-text", "body-object", "body-bytes", "body-none"],
      ...["field-cr", "field-beyond-latin1", "field-no-text", "field-name", "field-name-cr", "trailer-cr"],
      ...["request-none", "request-headers", "request-field", "request-name", "freezes"],
      ...["throws-text", "throws-nothing", "refuses", ...more],
    ];
    for (const kind of unsound) {
      const answer = await fetch(`${url}/${kind}`, { signal: AbortSignal.timeout(20_000) });
      const { code, detail } = (await answer.json()) as { code: string; detail: string };
      assert.deepEqual([answer.status, code], [500, "PLUGIN_FAILED"], kind);
      assert.match(detail, /changes/, kind);
    }
  });

  test(`an answer to which ${name} gave another body has that body's length, and the next one is whole`, async (t) => {
    const url = await start(t, plugin);
    for (const [kind, text] of [
      ["longer", "longer than it was"],
      ["shorter", "s"],
      ["fine", "as it was"],
    ]) {
      const answer = await fetch(`${url}/${kind}`, { signal: AbortSignal.timeout(20_000) });
      assert.deepEqual([answer.headers.get("content-length"), await answer.text()], [String(text?.length), text]);
    }
  });
}

test("a plugin that breaks the exchange on the way out, or answers 101 of its own, loses no connection", async (t) => {
  const broken = `export default { name: "breaks", phase: "observe", options: { type: "object" }, setup() {
    return async (exchange, next) => {
      const { path } = exchange.request;
      if (path === "/throws") {
        exchange.onAbort(() => { throw new Error("of a listener"); });
        throw new Error("so");
      }
      const answer = await next(exchange);
      if (path === "/request") exchange.request = null;
      if (path === "/switches") return { status: 101, headers: answer.headers, body: null };
      if (path === "/freezes") Object.freeze(exchange);
      return answer;
    };
  } };`;
  const url = await start(t, broken);
  const status = async (path: string): Promise<number> =>
    (await fetch(url + path, { signal: AbortSignal.timeout(20_000) })).status;
  assert.deepEqual(
    [await status("/request"), await status("/switches"), await status("/throws"), await status("/freezes")],
    [200, 500, 500, 200],
  );
  assert.equal(await (await fetch(`${url}/fine`)).text(), "as it was");
});

test("a listener that throws when its client goes away harms neither the others nor the gateway", async (t) => {
  const listens = `export default { name: "listens", phase: "observe", options: { type: "object" }, setup() {
    let told = 0;
    return async (exchange, next) => {
      if (exchange.request.path === "/told") {
        const answer = await next(exchange);
        answer.headers.set("X-Told", String(told));
        return answer;
      }
      exchange.onAbort(() => { throw new Error("of a listener"); });
      exchange.onAbort(() => { told++; });
      return new Promise(() => {});
    };
  } };`;
  const url = await start(t, listens);
  const leaving = new AbortController();
  const asked = fetch(`${url}/waits`, { signal: leaving.signal });
  const { port, hostname } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write("GET /waits HTTP/1.1\r\nHost: a\r\n\r\n", () => setImmediate(() => socket.destroy()));
  setImmediate(() => leaving.abort());
  await assert.rejects(asked);
  await eventually(
    "the second listener is told",
    async () => (await fetch(`${url}/told`)).headers.get("x-told") !== "0",
  );
});

test("a stream that is longer or shorter than the length that is told ends its connection, and is nobody's next answer", async (t) => {
  const says = `import { Readable } from "node:stream";
  export default { name: "says", phase: "observe", options: { type: "object" }, setup() {
    const bodies = { "/longer": ["as it was", "HTTP/1.1 200 OK\\r\\nX-Evil: 1\\r\\n\\r\\n"], "/one-chunk": ["as it wasHTTP/1.1 200 EVIL"], "/shorter": ["as"], "/equal": ["as it ", "was"] };
    return async (exchange, next) => {
      const answer = await next(exchange);
      answer.body = Readable.from((bodies[exchange.request.path] ?? ["as it was"]).map((text) => Buffer.from(text)));
      return answer;
    };
  } };`;
  const url = await start(t, says);
  const ask = (path: string, more = ""): string => `GET /${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
  for (const kind of ["longer", "one-chunk", "shorter"]) {
    const text = await converse(url, ask(kind) + ask("fine", "Connection: close\r\n"));
    assert.doesNotMatch(text, /evil/i, kind);
    assert.ok(text.split("HTTP/1.1 ").length <= 2, `${kind}: ${text}`);
  }
  const both = await converse(url, ask("equal") + ask("fine", "Connection: close\r\n"));
  assert.equal(both.match(/\r\n\r\nas it was/g)?.length, 2, both);
});

test("how an answer is framed is not a plugin's to say: the next answer on the connection is whole", async (t) => {
  const says = `import { Readable } from "node:stream";
  export default { name: "says", phase: "observe", options: { type: "object" }, setup() {
    const kinds = {
      "/chunked": (a) => { a.headers.set("Transfer-Encoding", "chunked"); },
      "/gzip": (a) => { a.headers.append("transfer-encoding", "gzip"); a.headers.append("transfer-encoding", "chunked"); },
      "/204": (a) => { a.status = 204; },
      "/304": (a) => { a.status = 304; },
      "/204-stream": (a) => { a.status = 204; a.body = Readable.from([Buffer.from("text")]); a.headers.delete("content-length"); },
      "/304-stream": (a) => { a.status = 304; a.body = Readable.from([Buffer.from("text")]); a.headers.delete("content-length"); },
      "/stream": (a) => { a.body = Readable.from([Buffer.from("as it "), Buffer.from("was")]); a.headers.delete("content-length"); a.headers.set("Transfer-Encoding", "chunked"); },
    };
    return async (exchange, next) => {
      const answer = await next(exchange);
      kinds[exchange.request.path]?.(answer);
      return answer;
    };
  } };`;
  const url = await start(t, says);
  for (const kind of ["chunked", "gzip", "204", "304", "204-stream", "304-stream", "stream"]) {
    const ask = (path: string, more = ""): string => `GET /${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
    const text = await converse(url, ask(kind) + ask("fine", "Connection: close\r\n"));
    const [first = "", second = ""] = text.split(/(?=HTTP\/1\.1 \d)/);
    assert.match(second, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nas it was$/, `${kind}: ${text}`);
    assert.equal(/content-length/i.test(first) && /transfer-encoding/i.test(first), false, `${kind}: ${first}`);
    if (kind.startsWith("204") || kind.startsWith("304")) assert.match(first, /\r\n\r\n$/, kind);
    if (kind.startsWith("204")) assert.doesNotMatch(first, /content-length|transfer-encoding/i, kind);
  }
});

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createGateway } from "../../src/gateway/gateway.ts";
import { folderWith } from "../support/cli.ts";

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
    "longer": (a) => { a.body = Buffer.from("longer than it was"); },
    "shorter": (a) => { a.body = Buffer.from("s"); },
  };
  const schema = { type: "object", properties: {}, additionalProperties: false };
`;
const HANDLER = `${ANSWERS}
  export default { name: "changes", phase: "authorize", options: schema, setup() {
    return async (exchange, next) => {
      const { kind } = exchange.pathParameters;
      if (kind === "no-request") exchange.request = null;
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
      ...more,
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

test("a plugin that breaks the exchange itself ends its connection, and no other", async (t) => {
  const url = await start(t, HANDLER);
  await assert.rejects(fetch(`${url}/no-request`, { signal: AbortSignal.timeout(20_000) }), { name: "TypeError" });
  assert.equal(await (await fetch(`${url}/fine`)).text(), "as it was");
});

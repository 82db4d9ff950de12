import assert from "node:assert/strict";
import { test } from "node:test";
import { specGateway } from "../support/spec-gateway.ts";

const text = { type: "string" };
const responses = { 200: { description: "ok" } };
const header = (name: string, more: object = {}): object => ({ name, in: "header", schema: text, ...more });
const document = {
  openapi: "3.0.3",
  info: { title: "Underscores", version: "1" },
  components: { securitySchemes: { key: { type: "apiKey", in: "header", name: "api_key" } } },
  paths: {
    "/declared": {
      get: {
        parameters: [
          header("tenant_id", { required: true, schema: { enum: ["a", "b"] } }),
          header("X_Real_IP"),
          header("x_consumer_name"),
        ],
        responses,
      },
    },
    "/bare": { get: { responses } },
    "/overridden": {
      post: { parameters: [header("X-HTTP-Method-Override", { schema: { enum: ["GET"] } })], responses },
    },
    "/keyed": { get: { security: [{ key: [] }], responses } },
  },
};

test("a header parameter with an underscore is checked and passed; what no spec declares is dropped", async (t) => {
  const { send, received } = await specGateway(t, { document });
  const headers = { tenant_id: "a", other_id: "1", X_Real_IP: "6.6.6.6", x_consumer_name: "root" };
  assert.equal((await send("GET", "/declared", { headers })).status, 200);
  assert.equal((await send("GET", "/declared", { headers: { tenant_id: "c" } })).status, 400);
  assert.equal((await send("GET", "/declared")).status, 400);
  assert.equal((await send("GET", "/bare", { headers })).status, 200);
  const seen = received.map((request) => Object.keys(request.headers).filter((name) => name.includes("_")));
  assert.deepEqual(seen, [["tenant_id"], []]);
});

test("a method override that the spec declares is checked and passed", async (t) => {
  const { send, received } = await specGateway(t, { document });
  const override = { "X-HTTP-Method-Override": "GET" };
  assert.equal((await send("POST", "/overridden", { headers: override })).status, 200);
  assert.equal((await send("POST", "/overridden", { headers: { "X-HTTP-Method-Override": "DELETE" } })).status, 400);
  assert.equal((await send("GET", "/bare", { headers: override })).status, 200);
  const seen = received.map(({ headers }) => headers["x-http-method-override"]);
  assert.deepEqual(seen, ["GET", undefined]);
});

test("what Connection names is dropped, declared or not", async (t) => {
  const { raw, received } = await specGateway(t, { document });
  const head = "GET /declared HTTP/1.1\r\nHost: a\r\ntenant_id: a\r\n";
  assert.equal(await raw(`${head}Connection: close, tenant_id\r\n\r\n`), 400);
  assert.equal(await raw(`${head}Connection: close, other\r\n\r\n`), 200);
  assert.equal(received.length, 1);
});

test("a key in a header with an underscore admits", async (t) => {
  const { send } = await specGateway(t, {
    document,
    route: { security: { key: { "api-key": { keys: { s3cret: "ada" } } } } },
  });
  assert.equal((await send("GET", "/keyed", { headers: { api_key: "s3cret" } })).status, 200);
  assert.equal((await send("GET", "/keyed", { headers: { api_key: "wrong" } })).status, 401);
  assert.equal((await send("GET", "/keyed")).status, 401);
});

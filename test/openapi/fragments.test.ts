import assert from "node:assert/strict";
import { test } from "node:test";
import { specOf } from "../support/spec-files.ts";
import { specGateway } from "../support/spec-gateway.ts";

const form = (...required: string[]): object => ({
  requestBody: { required: true, content: { "application/json": { schema: { type: "object", required } } } },
  responses: { 200: { description: "ok" } },
});
const action = (name: string): object => ({
  parameters: [{ name: "Action", in: "query", required: true, schema: { type: "string", enum: [name] } }],
  responses: { 200: { description: "ok" } },
});
const documentWith = (paths: object): object => ({ openapi: "3.0.3", info: { title: "t", version: "1" }, paths });
const post = (value: object): RequestInit => ({
  body: JSON.stringify(value),
  headers: { "content-type": "application/json" },
});

test("the uses of one operation that a document tells apart by a fragment are one: any of them is taken", async (t) => {
  const document = documentWith({ "/token": { post: form("code") }, "/token#refresh": { post: form("token") } });
  const { send } = await specGateway(t, { document });
  assert.equal((await send("POST", "/token", post({ code: 1 }))).status, 200);
  assert.equal((await send("POST", "/token", post({ token: 1 }))).status, 200);
  assert.equal((await send("POST", "/token", post({ other: 1 }))).status, 400);
});

test("operations with a fragment that a parameter tells apart stay two", async (t) => {
  const document = documentWith({
    "/#Action=Make": { get: action("Make") },
    "/#Action=End": { get: { ...action("End"), deprecated: true } },
  });
  const { send } = await specGateway(t, { document });
  assert.equal((await send("GET", "/?Action=Make")).headers.get("deprecation"), null);
  assert.notEqual((await send("GET", "/?Action=End")).headers.get("deprecation"), null);
  assert.equal((await send("GET", "/?Action=Other")).status, 400);
});

test("operations with a fragment that are guarded differently are not joined", async (t) => {
  const guarded = { ...form("token"), security: [{ key: [] }] };
  const spec = await specOf(t, {
    "a.json": documentWith({ "/token": { post: form("code") }, "/token#refresh": { post: guarded } }),
  });
  assert.equal(spec.operations.length, 2);
});

test("a parameter that only one use has is not required of the others", async (t) => {
  const named = { parameters: [{ name: "id", in: "query", required: true }], responses: {} };
  const document = documentWith({ "/a": { get: named }, "/a#b": { get: { responses: {} } } });
  const { send } = await specGateway(t, { document });
  assert.equal((await send("GET", "/a")).status, 200);
});

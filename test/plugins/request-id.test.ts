import assert from "node:assert/strict";
import { test } from "node:test";
import { startPluginGateway } from "../support/plugin-gateway.ts";

test("a request without an id is given one, which service and client both see", async (t) => {
  const { url, last } = await startPluginGateway(t, ["request-id"]);
  const answer = await fetch(`${url}/things`);
  const id = answer.headers.get("x-request-id");
  assert.match(String(id), /^\S{8,}$/);
  assert.equal(last().headers["x-request-id"], id);
});

test("a client's id is kept when it is safe to log", async (t) => {
  const { url } = await startPluginGateway(t, ["request-id"]);
  const idFor = async (id: string): Promise<string | null> =>
    (await fetch(`${url}/things`, { headers: { "x-request-id": id } })).headers.get("x-request-id");
  assert.equal(await idFor("order-42"), "order-42");
  assert.notEqual(await idFor("a b<script>"), "a b<script>");
  assert.notEqual(await idFor("x".repeat(200)), "x".repeat(200));
});

test("a refusal carries the id, too", async (t) => {
  const { url } = await startPluginGateway(t, ["request-id", { "rate-limit": { rate: "1/h" } }]);
  await fetch(`${url}/things`);
  const refused = await fetch(`${url}/things`, { headers: { "x-request-id": "second" } });
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get("x-request-id"), "second");
});

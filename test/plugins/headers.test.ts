import assert from "node:assert/strict";
import { test } from "node:test";
import { startPluginGateway } from "../support/plugin-gateway.ts";

test("request fields are renamed, removed, set and added with values of the request", async (t) => {
  const { url, last } = await startPluginGateway(t, [
    {
      headers: {
        request: {
          rename: { "X-Old": "X-New" },
          remove: ["X-Secret-*"],
          set: { "X-Thing": "${params.id}", "X-Page": "${query.page:-1}", "X-Sub": "${claims.sub}" },
          add: { "X-Tag": "edge" },
        },
      },
    },
  ]);
  await fetch(`${url}/things/a%20b`, {
    headers: { "x-old": "1", "x-secret-a": "s", "x-tag": "mine", "x-sub": "kept" },
  });
  const { headers } = last();
  assert.equal(headers["x-new"], "1");
  assert.equal(headers["x-old"], undefined);
  assert.equal(headers["x-secret-a"], undefined);
  assert.equal(headers["x-thing"], "a b");
  assert.equal(headers["x-page"], "1");
  assert.equal(headers["x-tag"], "mine, edge");
  assert.equal(headers["x-sub"], "kept", "no claim: the field is left as it is");
});

test("a value of the request cannot begin a field of its own", async (t) => {
  const { url, last } = await startPluginGateway(t, [{ headers: { request: { set: { "X-Thing": "${query.id}" } } } }]);
  await fetch(`${url}/things?id=${encodeURIComponent("a\r\nX-Admin: ü")}`);
  assert.equal(last().headers["x-thing"], "aX-Admin: %C3%BC");
  assert.equal(last().headers["x-admin"], undefined);
});

test("response fields are changed, too", async (t) => {
  const { url } = await startPluginGateway(t, [
    {
      headers: {
        response: { set: { "X-Op": "${operation.id}" }, remove: ["Date"], default: { "Cache-Control": "no-store" } },
      },
    },
  ]);
  const { headers } = await fetch(`${url}/things`);
  assert.equal(headers.get("x-op"), "listThings");
  assert.equal(headers.get("cache-control"), "no-store");
});

test("what is not known or belongs to the connection is refused at start", async (t) => {
  await assert.rejects(startPluginGateway(t, [{ headers: { request: { set: { a: "${user.id}" } } } }]), /user\.id/);
  await assert.rejects(
    startPluginGateway(t, [{ headers: { request: { set: { "Content-Length": "1" } } } }]),
    /connection/,
  );
});

test("every answer gets safe fields, refusals too, and none that tells what runs behind", async (t) => {
  const { url } = await startPluginGateway(t, ["response-headers", { deny: { paths: ["/things/*"] } }], {
    service: (_request, response) =>
      response.setHeader("X-Powered-By", "PHP/5").setHeader("x-frame-options", "SAMEORIGIN").end("ok"),
  });
  for (const path of ["/things", "/things/7"]) {
    const { headers } = await fetch(url + path);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("x-powered-by"), null);
    assert.equal(headers.get("x-frame-options"), path === "/things" ? "SAMEORIGIN" : "DENY");
    assert.equal(headers.get("strict-transport-security"), null);
  }
});

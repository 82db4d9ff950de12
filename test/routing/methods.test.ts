import assert from "node:assert/strict";
import { METHODS } from "node:http";
import { test } from "node:test";
import { specGateway } from "../support/spec-gateway.ts";

const responses = { 200: { description: "ok" } };
const asked = { parameters: [{ name: "limit", in: "query", schema: { type: "integer" } }], responses };
const document = {
  openapi: "3.2.0",
  info: { title: "Methods", version: "1" },
  paths: {
    "/things": { get: { responses }, query: asked, additionalOperations: { COPY: asked, LINK: asked, PURGE: asked } },
  },
};

for (const method of ["COPY", "LINK", "PURGE"]) {
  test(`${method}, an additional operation, reaches the service over a socket, and is validated`, async (t) => {
    const { raw, received } = await specGateway(t, { document });
    const head = "HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    assert.equal(await raw(`${method} /things?limit=1 ${head}`), 200);
    assert.equal(received[0]?.method, method);
    assert.equal(await raw(`${method} /things?limit=x ${head}`), 400);
    assert.equal(received.length, 1);
  });
}

test("QUERY with a body reaches the service where Node reads the method", async (t) => {
  if (!METHODS.includes("QUERY")) {
    t.skip(`Node ${process.version} does not read QUERY; run this with Node 22 or newer`);
    return;
  }
  const { raw, received } = await specGateway(t, { document });
  assert.equal(await raw("QUERY /things HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"), 200);
  assert.equal(received[0]?.method, "QUERY");
});

test("what a path has is told to a method that it has not, additional ones too", async (t) => {
  const { send } = await specGateway(t, { document });
  const { status, headers } = await send("DELETE", "/things");
  assert.equal(status, 405);
  for (const method of ["COPY", "GET", "HEAD", "LINK", "OPTIONS", "PURGE", "QUERY"])
    assert.ok(headers.get("allow")?.split(", ").includes(method), `${method} in ${headers.get("allow")}`);
});

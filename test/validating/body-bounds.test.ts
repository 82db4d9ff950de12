import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyDocument, specGateway } from "../support/spec-gateway.ts";

const bounded = {
  type: "object",
  additionalProperties: false,
  properties: {
    name: { type: "string", maxLength: 50 },
    tags: { type: "array", maxItems: 4, items: { $ref: "#/components/schemas/Tag" } },
    count: { type: "integer", maximum: 9 },
  },
};
const Tag = { type: "string", maxLength: 10 };

test("what lengths and counts allow bounds how much of a body is read", async (t) => {
  const content = {
    "application/json": { schema: bounded },
    "text/plain": { schema: { $ref: "#/components/schemas/Tag" } },
    "application/octet-stream": { schema: { allOf: [{ $ref: "#/components/schemas/Tag" }] } },
  };
  const gateway = await specGateway(t, { document: bodyDocument(content, { components: { schemas: { Tag } } }) });
  const whole = async (type: string, body: string): Promise<number> =>
    (await gateway.send("POST", "/", { headers: { "content-type": type }, body })).status;
  assert.equal(await whole("text/plain", "😀".repeat(10)), 200);
  assert.equal(await whole("application/octet-stream", "1234567890"), 200);
  assert.equal(await whole("application/octet-stream", "12345678901"), 413);
  const escaped = `{"name":"${"\\u00e9".repeat(50)}",${" ".repeat(60_000)}"tags":["a"]}`;
  assert.equal(await whole("application/json", escaped), 200);
  // Claimed and never sent, or sent without an end: the answer does not wait for the rest.
  for (const type of ["text/plain", "application/json"]) {
    const head = `POST / HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-type: ${type}\r\n`;
    assert.equal(await gateway.raw(`${head}content-length: 500000\r\n\r\n{`), 413, type);
    const chunk = `1000\r\n${" ".repeat(4096)}\r\n`;
    assert.equal(await gateway.raw(`${head}transfer-encoding: chunked\r\n\r\n${chunk.repeat(17)}`), 413, type);
  }
});

test("a body that nothing bounds is read up to limits.bodyBytes", async (t) => {
  const schemas = [
    { ...bounded, additionalProperties: true },
    { type: "array", items: Tag },
    { type: "object", additionalProperties: false, properties: { self: { $ref: "#/components/schemas/Self" } } },
    { anyOf: [bounded, { type: "string" }] },
  ];
  const Self = {
    type: "object",
    additionalProperties: false,
    properties: { self: { $ref: "#/components/schemas/Self" } },
  };
  for (const schema of schemas) {
    const document = bodyDocument({ "application/json": { schema } }, { components: { schemas: { Self, Tag } } });
    const gateway = await specGateway(t, { document });
    const value = "type" in schema && schema.type === "array" ? "[]" : "{}";
    const { status } = await gateway.send("POST", "/", {
      headers: { "content-type": "application/json" },
      body: value + " ".repeat(300_000),
    });
    assert.equal(status, 200, JSON.stringify(schema));
  }
});

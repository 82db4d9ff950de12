import assert from "node:assert/strict";
import { test } from "node:test";
import { specGateway } from "../support/spec-gateway.ts";

// "Relevant only for Schema properties definitions" (3.0); "if any occurrence" says so, a value is read-only (JSON Schema
// 2020-12 §9.4, which 3.1 follows). Documents of both mean a member, wherever about it the mark stands.

const schemas = {
  Base: {
    type: "object",
    required: ["gid", "name"],
    properties: { gid: { type: "string", readOnly: true }, name: { type: "string" } },
  },
  State: { type: "string", readOnly: true },
  Place: { type: "object", properties: { city: { type: "string" } } },
  Thing: {
    allOf: [
      { $ref: "#/components/schemas/Base" },
      {
        type: "object",
        required: ["state"],
        properties: {
          state: { $ref: "#/components/schemas/State" },
          place: { allOf: [{ $ref: "#/components/schemas/Place" }, { readOnly: true }] },
          status: { allOf: [{ $ref: "#/components/schemas/State" }], description: "as it is" },
          home: { allOf: [{ $ref: "#/components/schemas/Place" }], readOnly: true },
          city: { $ref: "#/components/schemas/Place" },
          states: { type: "array", items: { $ref: "#/components/schemas/State" } },
        },
      },
    ],
  },
};
const content = { "application/json": { schema: { $ref: "#/components/schemas/Thing" } } };
const documentOf = (openapi: string): object => ({
  openapi,
  info: { title: "T", version: "1" },
  paths: { "/": { post: { requestBody: { content }, responses: { 200: { description: "ok", content } } } } },
  components: { schemas },
});

const REFUSED: Record<string, object> = {
  "/gid": { gid: "1" },
  "/state": { state: "on" },
  "/status": { status: "on" },
  "/place": { place: { city: "Ulm" } },
  "/home": { home: { city: "Ulm" } },
};

for (const version of ["3.0.3", "3.0.4", "3.1.1", "3.2.0"]) {
  test(`in ${version} a member is read-only by its own schema, by a reference, and by a piece of its allOf`, async (t) => {
    const gateway = await specGateway(t, { document: documentOf(version) });
    const send = (more: object) =>
      gateway.send("POST", "/", {
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ name: "x", ...more }),
      });
    assert.equal((await send({})).status, 200, "what is read-only is not required of a request");
    assert.equal((await send({ city: { city: "Ulm" }, states: ["on"] })).status, 200, "an item is no member");
    for (const [pointer, more] of Object.entries(REFUSED)) {
      const { status, json } = await send(more);
      assert.equal(status, 400, pointer);
      assert.deepEqual(
        json.violations.map((violation: { pointer: string; keyword: string }) => [
          violation.pointer,
          violation.keyword,
        ]),
        [[pointer, "readOnly"]],
      );
    }
  });
}

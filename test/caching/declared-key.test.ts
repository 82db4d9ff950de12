import assert from "node:assert/strict";
import { test } from "node:test";
import { specGateway } from "../support/spec-gateway.ts";

const QUERY_KEY = { token: { type: "apiKey", in: "query", name: "token" } };
const PAGE = { type: "object", properties: { page: { type: "string" }, size: { type: "string" } } };

/** One operation whose key is declared, and a service that says what it was asked, for all. */
const start = (t: Parameters<typeof specGateway>[0], operation: object, security?: "upstream") =>
  specGateway(t, {
    document: {
      openapi: "3.1.0",
      info: { title: "Declared", version: "1" },
      paths: { "/found": { get: { ...operation, responses: { 200: { description: "ok" } } } } },
      components: { schemas: { Page: PAGE, Text: { type: "string" } }, securitySchemes: QUERY_KEY },
    },
    route: {
      cache: { key: "declared" },
      validate: { request: "off", response: "off" },
      ...(security === undefined ? {} : { security }),
    },
    answer: ({ url, headers }, response) =>
      response.writeHead(200, { "Cache-Control": "public, max-age=60" }).end(`${url} ${headers.cookie ?? ""}`),
  });

const reference = { $ref: "#/components/schemas/Page" };
for (const [how, schema, isSpread] of [
  ["written there", PAGE, true],
  ["by reference", reference, true],
  ["in an allOf", { allOf: [reference, { required: ["page"] }] }, true],
  ["in one of several", { oneOf: [{ type: "string" }, reference] }, true],
  ["by its members alone", { properties: PAGE.properties }, true],
  ["in an anyOf of an anyOf", { anyOf: [{ type: "string" }, { anyOf: [reference] }] }, true],
  ["that is none, by reference", { $ref: "#/components/schemas/Text" }, false],
] as const) {
  test(`declared key: an object spread over the query, ${how}: its members ${isSpread ? "" : "do not "}pass`, async (t) => {
    const gateway = await start(t, { parameters: [{ name: "paging", in: "query", schema }] });
    await gateway.send("GET", "/found?page=1&size=2");
    await gateway.send("GET", "/found?page=2&size=2");
    const urls = gateway.received.map(({ url }) => url);
    assert.deepEqual(urls, isSpread ? ["/found?page=1&size=2", "/found?page=2&size=2"] : ["/found"]);
  });
}

test("declared key: a credential in the query reaches the service that asks for it, and tells its callers apart", async (t) => {
  const gateway = await start(t, { security: [{ token: [] }] }, "upstream");
  for (const token of ["a", "b", "a"]) {
    assert.match(
      (await gateway.send("GET", `/found?utm=1&token=${token}`)).text,
      new RegExp(`^/found\\?token=${token} `),
    );
  }
  assert.equal(gateway.received.length, 2);
});

test("declared key: a cookie that a lenient reader takes for the declared one has an answer of its own", async (t) => {
  const gateway = await start(t, { parameters: [{ name: "tenant", in: "cookie", schema: { type: "string" } }] });
  for (const cookie of ["other=1", "tenant=1", "tenant =1", " tenant\t=1", "tenant"]) {
    await gateway.send("GET", "/found", { headers: { cookie } });
    const { text } = await gateway.send("GET", "/found", { headers: { cookie: "other=2" } });
    assert.equal(text, "/found other=1", cookie);
  }
  assert.equal(gateway.received.length, 5);
});

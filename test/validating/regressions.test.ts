import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyDocument, parameterDocument, specGateway } from "../support/spec-gateway.ts";

// Each was a bug of another gateway's validator: developer.konghq.com, oas-validation, changelog.

const integer = (name: string, where = "path"): object => ({
  name,
  in: where,
  required: true,
  schema: { type: "integer" },
});
const json = { "content-type": "application/json" };

const PATHS: Record<string, [template: string, name: string, good: string, bad: string]> = {
  "a hyphen in a parameter's name": ["/a/{user-id}/b", "user-id", "/a/1/b", "/a/x/b"],
  "a parameter's name beyond ASCII": ["/a/{größe}", "größe", "/a/1", "/a/x"],
  "a dollar in the path": ["/a/$count/{id}", "id", "/a/$count/1", "/a/$count/x"],
  "regex characters in the path": ["/a.b+(c)/{id}", "id", "/a.b+(c)/1", "/a.b+(c)/x"],
  "a dot after a parameter": ["/a/{id}.json", "id", "/a/1.json", "/a/x.json"],
  "an underscore and a digit in the name": ["/a/{id_2}", "id_2", "/a/1", "/a/x"],
};

test("paths of every spelling have their parameters checked", async (t) => {
  for (const [name, [template, parameter, good, bad]] of Object.entries(PATHS)) {
    const gateway = await specGateway(t, { document: parameterDocument(template, integer(parameter)) });
    assert.equal((await gateway.send("GET", good)).status, 200, name);
    assert.equal((await gateway.send("GET", bad)).status, 400, name);
  }
});

test("the base path / is no prefix of two slashes", async (t) => {
  const document = { ...parameterDocument("/a/{id}", integer("id")), servers: [{ url: "/" }] };
  const gateway = await specGateway(t, { document });
  assert.equal((await gateway.send("GET", "/a/1")).status, 200);
});

const BODIES: Record<string, [schema: object, good: string[], bad: string[]]> = {
  "a recursive schema": [
    { $ref: "#/components/schemas/Tree" },
    ['{"children":[{"children":[]}]}', "{}"],
    ['{"children":[{"children":[1]}]}'],
  ],
  "anyOf with null": [{ anyOf: [{ type: "null" }, { type: "string" }] }, ["null", '"a"'], ["1"]],
  "a large integer": [{ type: "integer" }, ["12345678901234567890", "9007199254740993"], ["1.5"]],
  "an empty object": [{ type: "object", additionalProperties: false }, ["{}"], ["[]", '{"a":1}']],
  "an empty array": [{ type: "array", items: { type: "integer" } }, ["[]"], ["{}"]],
  "a free-form object": [{ type: "object", additionalProperties: true }, ['{"a":{"b":1}}'], ["1"]],
  "false, zero and the empty text": [{ enum: [false, 0, ""] }, ["false", "0", '""'], ["true", "null"]],
  "a member named length": [
    { type: "object", properties: { length: { type: "integer" } }, minProperties: 1 },
    ['{"length":0}'],
    ['{"length":"x"}', "{}"],
  ],
  "a percent sign in a pattern": [{ type: "string", pattern: "^\\d+%$" }, ['"5%"'], ['"5"']],
};

test("bodies that others refused or let through are told apart", async (t) => {
  const Tree = {
    type: "object",
    properties: { children: { type: "array", items: { $ref: "#/components/schemas/Tree" } } },
  };
  for (const [name, [schema, good, bad]] of Object.entries(BODIES)) {
    const document = bodyDocument({ "application/json": { schema } }, { components: { schemas: { Tree } } });
    const gateway = await specGateway(t, { document });
    for (const body of good)
      assert.equal((await gateway.send("POST", "/", { headers: json, body })).status, 200, `${name}: ${body}`);
    for (const body of bad)
      assert.equal((await gateway.send("POST", "/", { headers: json, body })).status, 400, `${name}: ${body}`);
  }
});

test("a media type is compared by its essence: case, charset and other parameters do not refuse it", async (t) => {
  const gateway = await specGateway(t, {
    document: bodyDocument({ "application/json": { schema: { type: "object" } } }),
  });
  for (const type of ["application/json;charset=utf-8", "Application/JSON", 'application/json; charset="UTF-8"; v=1']) {
    assert.equal(
      (await gateway.send("POST", "/", { headers: { "content-type": type }, body: "{}" })).status,
      200,
      type,
    );
    assert.equal((await gateway.send("POST", "/", { headers: { "content-type": type }, body: "1" })).status, 400, type);
  }
});

test("a body that is not required may be left out, but not be wrong", async (t) => {
  const requestBody = { content: { "application/json": { schema: { type: "object" } } } };
  const document = {
    ...bodyDocument({}),
    paths: { "/": { post: { requestBody, responses: { 200: { description: "" } } } } },
  };
  const gateway = await specGateway(t, { document });
  assert.equal((await gateway.send("POST", "/")).status, 200);
  assert.equal((await gateway.send("POST", "/", { headers: json, body: "1" })).status, 400);
});

test("header parameters named Accept, Content-Type and Authorization are ignored, as OpenAPI says", async (t) => {
  const parameters = ["Accept", "Content-Type", "Authorization"].map((name) => integer(name, "header"));
  const gateway = await specGateway(t, { document: parameterDocument("/a", ...parameters) });
  assert.equal((await gateway.send("GET", "/a", { headers: { accept: "text/plain" } })).status, 200);
});

test("an operation's parameter replaces the path's of the same name and place", async (t) => {
  const get = {
    parameters: [{ name: "q", in: "query", schema: { type: "integer" } }],
    responses: { 200: { description: "" } },
  };
  const item = {
    parameters: [{ name: "q", in: "query", required: true, schema: { type: "boolean" } }, integer("X-Q", "header")],
    get,
  };
  const gateway = await specGateway(t, { document: { ...parameterDocument("/a"), paths: { "/a": item } } });
  assert.equal((await gateway.send("GET", "/a?q=5", { headers: { "x-q": "1" } })).status, 200);
  assert.equal((await gateway.send("GET", "/a?q=true", { headers: { "x-q": "1" } })).status, 400);
  assert.equal((await gateway.send("GET", "/a")).status, 400);
});

const accepting = (types: object): object => ({
  ...parameterDocument("/a"),
  paths: {
    "/a": {
      get: {
        responses: {
          200: { description: "", content: types },
          default: { description: "", content: { "application/problem+json": {} } },
        },
      },
    },
  },
});
const ACCEPTS: [accept: string, status: number][] = [
  ["application/json", 200],
  ["application/*;q=0.1", 200],
  ["*/*", 200],
  ["text/html, */*;q=0.5", 200],
  ["application/json;v=1", 200],
  ["text/html", 406],
  ["application/problem+json", 406],
  ["*/*, application/json;q=0", 406],
  ["application/json;q=0", 406],
  ["nonsense", 200],
];

test("406 is answered only when no declared answer could be acceptable", async (t) => {
  const gateway = await specGateway(t, { document: accepting({ "application/json": {} }) });
  for (const [accept, status] of ACCEPTS) {
    assert.equal((await gateway.send("GET", "/a", { headers: { accept } })).status, status, accept);
  }
  const any = await specGateway(t, { document: accepting({}) });
  assert.equal((await any.send("GET", "/a", { headers: { accept: "text/html" } })).status, 200);
});

test("a request that is only reported goes on, and is counted", async (t) => {
  const document = parameterDocument("/a/{id}", integer("id"));
  const gateway = await specGateway(t, { document, route: { validate: { request: "report" } } });
  assert.equal((await gateway.send("GET", "/a/x")).status, 200);
  assert.equal(gateway.received[0]?.url, "/a/x");
});

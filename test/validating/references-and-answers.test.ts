import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyDocument, parameterDocument, specGateway } from "../support/spec-gateway.ts";

// Bugs of another gateway's validator: developer.konghq.com, oas-validation, changelog. The rest: regressions.test.ts.

const json = { "content-type": "application/json" };
const ok = { 200: { description: "ok" } };

test("a parameter by reference, whose schema is a reference, is checked", async (t) => {
  const document = {
    ...parameterDocument("/a", { $ref: "#/components/parameters/Limit" }),
    components: {
      parameters: { Limit: { name: "limit", in: "query", schema: { $ref: "#/components/schemas/Small" } } },
      schemas: { Small: { $ref: "#/components/schemas/Number" }, Number: { type: "integer", maximum: 5 } },
    },
  };
  const gateway = await specGateway(t, { document });
  assert.equal((await gateway.send("GET", "/a?limit=5")).status, 200);
  assert.equal((await gateway.send("GET", "/a?limit=6")).status, 400);
  assert.equal((await gateway.send("GET", "/a?limit=x")).status, 400);
});

test("a parameter of any type takes any text, whatever its style", async (t) => {
  for (const style of ["form", "spaceDelimited", "pipeDelimited", "deepObject"]) {
    for (const schema of [{}, true, { description: "anything" }]) {
      const document = parameterDocument("/a", { name: "x", in: "query", style, schema });
      const gateway = await specGateway(t, { document });
      for (const query of ["x=1", "x=a,b", "x[a]=1", "x=", "x", "x=%7C"])
        assert.equal((await gateway.send("GET", `/a?${query}`)).status, 200, `${style} ${query}`);
    }
  }
});

test("no query is answered with a fault of the gateway", async (t) => {
  const parameters = [
    { name: "a", in: "query", schema: { type: "integer" } },
    { name: "f", in: "query", style: "deepObject", schema: { type: "object", properties: { x: { type: "array" } } } },
    { name: "l", in: "query", explode: false, schema: { type: "array", items: { type: "integer" } } },
    { name: "j", in: "query", content: { "application/json": { schema: { type: "object" } } } },
  ];
  const gateway = await specGateway(t, { document: parameterDocument("/a", ...parameters) });
  const odd = [
    "",
    "&&&",
    "=",
    "=1",
    "a",
    "a=",
    "a==",
    "%",
    "%=%",
    "a=%",
    "f[",
    "f]=1",
    "f[]=1",
    "f[x][=1",
    "f[x][][]=1",
  ];
  const more = [
    "f[x]=1&f[x][y]=2",
    "f[__proto__]=1",
    "f=1&f[x]=2",
    "l",
    "l=,",
    "l=,,",
    "j=%7B",
    "j",
    "?",
    "a=1?a=2",
    ";a=1",
  ];
  for (const query of [...odd, ...more]) {
    const { status } = await gateway.send("GET", `/a?${query}`);
    assert.ok(status === 200 || status === 400, `${query}: ${status}`);
  }
});

test("nested references under a discriminator of 3.0 are followed, and its mapping decides", async (t) => {
  const schemas = {
    Pet: {
      oneOf: [{ $ref: "#/components/schemas/Cat" }, { $ref: "#/components/schemas/Dog" }],
      discriminator: { propertyName: "kind", mapping: { cat: "#/components/schemas/Cat", dog: "Dog" } },
    },
    Base: {
      type: "object",
      required: ["kind"],
      properties: { kind: { type: "string" }, owner: { $ref: "#/components/schemas/Owner" } },
    },
    Owner: { type: "object", nullable: true, required: ["name"], properties: { name: { type: "string" } } },
    Cat: {
      allOf: [
        { $ref: "#/components/schemas/Base" },
        { required: ["lives"], properties: { lives: { type: "integer" } } },
      ],
    },
    Dog: {
      allOf: [{ $ref: "#/components/schemas/Base" }, { required: ["bark"], properties: { bark: { type: "boolean" } } }],
    },
  };
  const content = { "application/json": { schema: { $ref: "#/components/schemas/Pet" } } };
  const document = { ...bodyDocument(content, { components: { schemas } }), openapi: "3.0.3" };
  const gateway = await specGateway(t, { document });
  const rows: [body: object, status: number][] = [
    [{ kind: "cat", lives: 9, owner: { name: "Ada" } }, 200],
    [{ kind: "dog", bark: true, owner: null }, 200],
    [{ kind: "dog", lives: 9 }, 400],
    [{ kind: "cat", lives: 9, owner: {} }, 400],
    [{ kind: "bird", lives: 9 }, 400],
    [{ lives: 9 }, 400],
  ];
  for (const [body, status] of rows) {
    const sent = await gateway.send("POST", "/", { headers: json, body: JSON.stringify(body) });
    assert.equal(sent.status, status, JSON.stringify(body));
  }
});

test("nullable of 3.0 takes null, and nothing else more", async (t) => {
  const schema = { type: "object", properties: { a: { type: "string", nullable: true }, b: { type: "string" } } };
  const document = { ...bodyDocument({ "application/json": { schema } }), openapi: "3.0.3" };
  const gateway = await specGateway(t, { document });
  for (const [body, status] of [
    ['{"a":null}', 200],
    ['{"a":"x"}', 200],
    ['{"a":1}', 400],
    ['{"b":null}', 400],
  ] as const)
    assert.equal((await gateway.send("POST", "/", { headers: json, body })).status, status, body);
});

test("a body that the operation does not declare passes unread", async (t) => {
  const gateway = await specGateway(t, {
    document: { ...parameterDocument("/a"), paths: { "/a": { post: { responses: ok } } } },
  });
  const body = '{"a":1,"a":2';
  assert.equal((await gateway.send("POST", "/a", { headers: json, body })).status, 200);
  assert.equal(gateway.received[0]?.body.toString(), body);
});

test("an answer without a type, or whose spec has no content, is no fault of the gateway", async (t) => {
  const content = { "application/json": { schema: { type: "object" } } };
  const responses = { 200: { description: "", content }, 201: { description: "" }, 204: { description: "", content } };
  const document = { ...parameterDocument("/a"), paths: { "/a": { get: { responses } } } };
  for (const [mode, [typeless, undeclared]] of [
    ["report", [200, 201]],
    ["enforce", [502, 201]],
  ] as const) {
    const gateway = await specGateway(t, {
      document,
      route: { validate: { response: mode } },
      answer: (request, response) => {
        response.statusCode = Number(request.url?.slice(-3));
        response.end(response.statusCode === 204 ? undefined : "{}");
      },
    });
    assert.equal((await gateway.send("GET", "/a?200")).status, typeless, mode);
    assert.equal((await gateway.send("GET", "/a?201")).status, undeclared, mode);
    assert.equal((await gateway.send("GET", "/a?204")).status, 204, mode);
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { specGateway } from "../support/spec-gateway.ts";

// One row a bug that somebody reported of another validator, by its repository and number on GitHub.

type Row = readonly [
  issue: string,
  request: string,
  status: number,
  body?: string | undefined,
  headers?: Record<string, string>,
];

const ok = { 200: { description: "ok" } };
const text = { type: "string" };
const integer = { type: "integer" };
const json = (schema: object): object => ({ "application/json": { schema } });
const post = (content: object): object => ({ post: { requestBody: { required: true, content }, responses: ok } });
const get = (...parameters: object[]): object => ({ get: { parameters, responses: ok } });
const query = (name: string, schema: object, more: object = {}): object => ({ name, in: "query", schema, ...more });
const ref = (name: string): object => ({ $ref: `#/components/schemas/${name}` });
const role = { type: "object", required: ["role"], properties: { role: text, age: integer } };
const file = { type: "string", format: "binary" };
const upload = { type: "object", properties: { core: file, kind: { type: "string", enum: ["a", "b"] } } };

const document = {
  openapi: "3.0.3",
  info: { title: "Issues", version: "1" },
  servers: [{ url: "/" }],
  paths: {
    "/patterned": get(
      query(
        "test",
        { type: "array", items: { type: "string", pattern: "^[a-zA-Z0-9]+:(EQ|IN)(:.+)?$", minLength: 5 } },
        { explode: false },
      ),
    ),
    "/list-object": get(query("id", role, { explode: false, required: true })),
    "/own-object": get(query("id", role, { required: true })),
    "/two-objects": get(
      query("exploded", { type: "object", properties: { term: text, count: integer } }, { required: true }),
      query("listed", { type: "object", properties: { term: text, count: integer } }, { explode: false }),
    ),
    "/bracket": get(query("page[limit]", integer), query("ids[]", { type: "array", items: integer })),
    "/array": get(query("testParam", { type: "array", items: text })),
    "/spaced": get(query("ids", { type: "array", items: integer }, { style: "spaceDelimited" })),
    "/nullable-list": get(query("fields", { type: "array", nullable: true, items: text }, { explode: false })),
    "/date": get(query("at", { type: "string", format: "date-time" }), query("on", { type: "string", format: "date" })),
    "/form": post({
      "application/x-www-form-urlencoded": {
        schema: { type: "object", required: ["Binding.Address"], properties: { "Binding.Address": text, n: integer } },
      },
    }),
    "/upload": post({ "multipart/form-data": { schema: upload } }),
    "/step": post(
      json({
        type: "object",
        required: ["at"],
        properties: { at: { type: "string", format: "date-time", nullable: true } },
      }),
    ),
    "/nulls": post(
      json({
        type: "object",
        properties: {
          o: { type: "object", nullable: true, properties: {} },
          a: { type: "array", nullable: true, items: text },
        },
      }),
    ),
    "/nullable-one": post(
      json({
        type: "object",
        properties: {
          a: { nullable: true, oneOf: [ref("Owned"), integer] },
          b: { nullable: true, allOf: [ref("Owned")] },
        },
      }),
    ),
    "/null-by-not": post(
      json({
        oneOf: [
          text,
          {
            not: {
              anyOf: ["string", "number", "boolean", "object", "array"].map((type) =>
                type === "array" ? { type, items: {} } : { type },
              ),
            },
          },
        ],
      }),
    ),
    "/owned": post(json(ref("Owned"))),
    "/version": post(json(ref("Version"))),
    "/pet": post(json({ oneOf: [ref("Cat"), ref("Dog")], discriminator: { propertyName: "pet_type" } })),
    "/closed": post(json({ type: "object", properties: { entityType: text }, additionalProperties: false })),
    "/user": post(
      json({
        type: "object",
        properties: { about: text, name: text },
        anyOf: [{ required: ["about"] }, { required: ["name"] }],
      }),
    ),
    "/page": {
      get: {
        responses: {
          200: {
            description: "ok",
            headers: { "X-Page": { required: true, schema: { type: "integer", minimum: 1 } } },
          },
        },
      },
    },
    "/page/{page}": {
      get: {
        parameters: [{ name: "page", in: "path", required: true, schema: text }],
        responses: {
          200: {
            description: "ok",
            headers: { "X-Page": { required: true, schema: { type: "integer", minimum: 1 } } },
          },
        },
      },
    },
  },
  components: {
    schemas: {
      Id: { type: "integer", readOnly: true },
      Owned: { type: "object", required: ["id", "name"], properties: { id: ref("Id"), name: text } },
      Version: {
        type: "object",
        required: ["@type"],
        properties: { "@type": { type: "string", enum: ["Version$Branch", "Version$Tag"] } },
        discriminator: {
          propertyName: "@type",
          mapping: { Version$Branch: "#/components/schemas/Branch", Version$Tag: "#/components/schemas/Tag" },
        },
        oneOf: [ref("Branch"), ref("Tag")],
      },
      Branch: { type: "object", required: ["name"], properties: { name: text } },
      Tag: { type: "object", required: ["name"], properties: { name: text } },
      Cat: {
        type: "object",
        required: ["pet_type"],
        properties: { pet_type: text, hunts: { type: "boolean" }, age: integer },
      },
      Dog: {
        type: "object",
        required: ["pet_type"],
        properties: { pet_type: text, bark: { type: "boolean" }, breed: { type: "string", enum: ["Dingo", "Husky"] } },
      },
    },
  },
};

const FORM = { "content-type": "application/x-www-form-urlencoded; charset=UTF-8" };
const MULTIPART = { "content-type": 'multipart/form-data; boundary="b c"' };
const parts = (...each: string[]): string => `${each.map((part) => `--b c\r\n${part}\r\n`).join("")}--b c--\r\n`;
const PNG = 'content-disposition: form-data; name="core"; filename="x.png"\r\ncontent-type: image/png\r\n\r\n\u0089PNG';

const ROWS: readonly Row[] = [
  ["cdimascio/express-openapi-validator#917", "GET /patterned?test=categoryId%3AIN%3A%5B1%3B2%5D,itemId%3AEQ%3A2", 200],
  ["cdimascio/express-openapi-validator#917", "GET /patterned?test=categoryId%3AIN%3A1,itemId%3AXX%3A2", 400],
  ["cdimascio/express-openapi-validator#1064", "GET /list-object?id=role,admin,age,7", 200],
  ["cdimascio/express-openapi-validator#1064", "GET /list-object?id=role,admin,age,x", 400],
  ["cdimascio/express-openapi-validator#473", "GET /array?testParam=a&testParam=b", 200],
  ["stoplightio/prism#1320", "GET /array?testParam=123", 200],
  ["openapistack/openapi-backend#722", "GET /own-object?role=admin&age=7", 200],
  ["openapistack/openapi-backend#722", "GET /own-object?age=7", 400],
  ["pb33f/wiretap#91", "GET /two-objects?term=foo&count=10&listed=count,11,term,bar", 200],
  ["pb33f/wiretap#91", "GET /two-objects?term=foo&count=x&listed=count,11,term,bar", 400],
  ["stoplightio/prism#19", "GET /bracket?page%5Blimit%5D=100&ids[]=1&ids%5B%5D=2", 200],
  ["stoplightio/prism#19", "GET /bracket?page[limit]=x", 400],
  ["getkin/kin-openapi#648", "GET /spaced?ids=1%202", 200],
  ["schemathesis/schemathesis#980", "GET /nullable-list?fields=", 200],
  ["ota42y/openapi_parser#126", "GET /date?at=2024-01-01T10:00:00", 400],
  ["OpenAPITools/openapi-generator#21364", "GET /date?on=ABC1", 400],
  ["stoplightio/prism#2591", "POST /form", 200, "Binding.Address=a&n=1", FORM],
  ["stoplightio/prism#2591", "POST /form", 400, "Binding_Address=a", FORM],
  ["apache/apisix#11687", "POST /form", 400, "Binding.Address=a&n=x", FORM],
  [
    "python-openapi/openapi-core#231",
    "POST /upload",
    200,
    parts('content-disposition: form-data; name="kind"\r\n\r\na'),
    MULTIPART,
  ],
  [
    "python-openapi/openapi-core#299",
    "POST /upload",
    400,
    parts('content-disposition: form-data; name="kind"\r\n\r\nc'),
    MULTIPART,
  ],
  ["vert-x3/vertx-web#1213", "POST /upload", 200, parts(PNG), MULTIPART],
  [
    "PayU/openapi-validator-middleware#165",
    "POST /upload",
    200,
    parts(PNG, 'content-disposition: form-data; name="kind"\r\n\r\nb'),
    MULTIPART,
  ],
  ["cdimascio/express-openapi-validator#108", "POST /step", 200, '{"at":null}'],
  ["cdimascio/express-openapi-validator#402", "POST /step", 400],
  ["python-openapi/openapi-core#232", "POST /nulls", 200, '{"o":null,"a":null}'],
  ["ota42y/openapi_parser#128", "POST /nullable-one", 200, '{"a":null,"b":null}'],
  ["ota42y/openapi_parser#128", "POST /nullable-one", 400, '{"a":"x"}'],
  ["kevindew/openapi3_parser#23", "POST /null-by-not", 200, "null"],
  ["kevindew/openapi3_parser#23", "POST /null-by-not", 400, "1"],
  ["jhthorsen/mojolicious-plugin-openapi#225", "POST /owned", 200, '{"name":"a"}'],
  ["jhthorsen/json-validator#30", "POST /owned", 400, '{"id":null,"name":"a"}'],
  ["wso2/product-apim#7947", "POST /owned", 400, "{}", { "content-type": "application/json; charset=UTF-8" }],
  ["vert-x3/vertx-web#1820", "POST /version", 200, '{"@type":"Version$Branch","name":"a"}'],
  ["vert-x3/vertx-web#1820", "POST /version", 400, '{"@type":"Version$Tag"}'],
  ["cdimascio/express-openapi-validator#458", "POST /pet", 200, '{"pet_type":"Cat","age":3}'],
  ["OAI/OpenAPI-Specification#2141", "POST /pet", 400, '{"pet_type":"Dog","bark":false,"breed":"Poodle"}'],
  ["apigee-127/sway#125", "POST /closed", 400, '{"EntityType":"Profile"}'],
  ["Gi60s/openapi-enforcer#8", "POST /user", 200, '{"name":"a"}'],
  ["Gi60s/openapi-enforcer#8", "POST /user", 400, "{}"],
  ["ota42y/openapi_parser#24", "GET /page", 200],
  ["ota42y/openapi_parser#24", "GET /page/x", 502],
];

test("what was reported of other validators is not so here", async (t) => {
  const gateway = await specGateway(t, {
    document,
    route: { validate: { response: "enforce" } },
    answer: (request, response) => {
      response.setHeader("x-page", request.url === "/page/x" ? "x" : "1");
      response.setHeader("content-type", "application/json").end("{}");
    },
  });
  const found: string[] = [];
  for (const [issue, request, status, body, headers] of ROWS) {
    const [method = "", target = ""] = request.split(/ (.*)/s);
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const init = { headers: { ...type, ...headers }, ...(body === undefined ? {} : { body }) };
    const answered = await gateway.send(method, target, init);
    if (answered.status !== status) found.push(`${issue}: ${request} ${body} is ${answered.status} ${answered.text}`);
  }
  assert.deepEqual(found, []);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { projectGateway } from "../support/project-gateway.ts";
import { specGateway } from "../support/spec-gateway.ts";

/** What 3.1 allows and few documents use. */
const ODD_31 = `
openapi: 3.1.1
info: { title: Odd, version: "1" }
jsonSchemaDialect: https://spec.openapis.org/oas/3.1/dialect/base
servers: [{ url: "/v1" }]
paths:
  /pets:
    $ref: './paths/pets.yaml'
  /alias: { $ref: '#/paths/~1pets' }
  /ci/{id}: { $ref: '#components/pathItems/One' }
  /via: { $ref: 'paths/all.yaml#/~1via~1{x}', summary: over }
  /list/{ids}.json:
    get:
      parameters: [{ in: path, name: ids, required: true, schema: { type: array, maxItems: 2, items: { type: string, maxLength: 3 } } }]
      responses: { "200": { description: ok } }
  /a/{x}:{y}:
    get:
      parameters:
        - { in: path, name: x, required: true, schema: { type: integer } }
        - { in: path, name: y, required: true, style: simple, explode: true, schema: { type: object, properties: { k: { type: integer } }, required: [k] } }
      responses: { 200: { description: ok } }
  /tree:
    post:
      requestBody: { required: true, content: { application/json: { schema: { $ref: 'shared/tree.yaml' } } } }
      responses: { 2XX: { description: ok }, default: { description: bad } }
  /id:
    post:
      requestBody: { required: true, content: { application/json: { schema: { $id: "https://ex.com/outer", type: object, properties: { a: { $ref: "inner" }, b: { $ref: "#frag" }, c: {$ref: "#/$defs/x"} }, $defs: { inner: { $id: inner, type: integer }, f: { $anchor: frag, type: string }, x: {type: boolean} } } } } }
      responses: { 200: { description: ok } }
  /größe/{größe}/$count:
    get:
      parameters: [{ in: path, name: größe, required: true, schema: { type: integer } }]
      responses: { 200: { description: ok } }
  /true: { post: { requestBody: { content: { application/json: { schema: true } } }, responses: { 200: { description: ok } } } }
  /false: { post: { requestBody: { content: { application/json: { schema: false } } }, responses: { 200: { description: ok } } } }
  /null: { post: { requestBody: { content: { application/json: { schema: { type: [string, "null"], const: null } } } }, responses: { 200: { description: ok } } } }
  /noresp: { get: { operationId: n } }
webhooks:
  newPet: { post: { operationId: n, requestBody: { content: { application/json: { schema: { $ref: '#/components/schemas/Pet' } } } }, responses: { 200: { description: ok } } } }
components:
  schemas:
    Pet: { type: object, properties: { friend: { $ref: '#/components/schemas/Pet' }, "a/b~c%": { type: integer } } }
  pathItems:
    One:
      parameters: [{ in: path, name: id, required: true, schema: { $ref: '#/components/schemas/Pet/properties/a~1b~0c%25' } }]
      get: { responses: { 200: { description: ok } } }
`;
const FILES_31 = {
  "odd.yaml": ODD_31,
  "paths/pets.yaml": `
get:
  parameters: [{ $ref: '../shared/params.yaml#/Limit' }]
  responses: { 200: { description: ok } }
post:
  requestBody: { content: { application/json: { schema: { $ref: '../odd.yaml#/components/schemas/Pet' } } } }
  responses: { 201: { description: ok } }
`,
  "paths/all.yaml": "/via/{x}: { get: { responses: { 200: { description: ok } } } }",
  "shared/params.yaml": "Limit: { in: query, name: limit, schema: { type: integer, maximum: 10 } }",
  "shared/tree.yaml":
    "{ type: object, required: [v], properties: { v: { type: integer }, kids: { type: array, items: { $ref: '#' } } } }",
};
/** The same of 3.2. */
const ODD_32 = `
openapi: 3.2.0
$self: https://api.example.com/spec32.yaml
info: { title: Two, version: "1" }
servers: [{ name: main, url: "https://{h}.example.com/{v}", variables: { h: { default: a }, v: { default: v2, enum: [v2, v3] } } }]
paths:
  /s:
    query:
      requestBody: { required: true, content: { application/json: { schema: { type: object, required: [q] } } } }
      responses: { 200: { description: ok } }
    additionalOperations:
      COPY: { responses: { 200: { description: ok } } }
  /qs:
    get:
      parameters: [{ in: querystring, name: all, required: true, content: { application/x-www-form-urlencoded: { schema: { type: object, required: [foo], properties: { foo: { type: integer } }, additionalProperties: false } } } }]
      responses: { 200: { description: ok } }
  /lines:
    post:
      requestBody: { required: true, content: { application/jsonl: { itemSchema: { $ref: '#/components/schemas/Ev' } }, application/json-seq: { itemSchema: { $ref: '#/components/schemas/Ev' } }, text/event-stream: { itemSchema: { type: object, required: [data] } } } }
      responses: { 200: { description: ok, content: { text/event-stream: { itemSchema: { type: object, properties: { data: { type: string }, event: { const: tick } } } } } } }
  /mt:
    post:
      requestBody: { content: { application/json: { $ref: '#/components/mediaTypes/J' } } }
      responses: { 200: { description: ok, content: { application/json: { schema: { type: object }, examples: { one: { dataValue: { a: 1 } }, two: { serializedValue: '{"a": 2}' } } } } } }
  /ck:
    get:
      parameters: [{ in: cookie, name: c, style: cookie, schema: { type: array, items: { type: integer } }, explode: false }]
      responses: { 200: { description: ok } }
  /disc:
    post:
      requestBody: { required: true, content: { application/json: { schema: { oneOf: [{ $ref: '#/components/schemas/Cat' }, { $ref: '#/components/schemas/Other' }], discriminator: { propertyName: kind, mapping: { cat: '#/components/schemas/Cat' }, defaultMapping: '#/components/schemas/Other' } } } } }
      responses: { 200: { description: ok } }
  /self: { post: { requestBody: { content: { application/json: { schema: { $ref: 'https://api.example.com/spec32.yaml#/components/schemas/Ev' } } } }, responses: { 200: { description: ok } } } }
components:
  mediaTypes: { J: { schema: { type: object, required: [z] } } }
  schemas:
    Ev: { type: object, required: [n], properties: { n: { type: integer } } }
    Cat: { type: object, required: [kind, lives], properties: { kind: { const: cat }, lives: { type: integer } } }
    Other: { type: object, required: [x], properties: { x: { type: integer }, kind: { type: string, not: { const: cat } } } }
`;

type Row = readonly [ask: string, status: number, body?: string, contentType?: string];
const ROWS_31: readonly Row[] = [
  ["GET /v1/pets?limit=5", 200],
  ["GET /v1/pets?limit=50", 400],
  ["GET /v1/alias?limit=50", 400],
  ["POST /v1/pets", 200, '{"friend":{"friend":{"a/b~c%":1}}}'],
  ["POST /v1/pets", 400, '{"friend":{"friend":{"a/b~c%":"x"}}}'],
  ["GET /v1/ci/5", 200],
  ["GET /v1/ci/x", 400],
  ["GET /v1/via", 200],
  ["GET /v1/list/a%2Cb,c.json", 200],
  ["GET /v1/list/a,b,c.json", 400],
  ["GET /v1/a/5:k=3", 200],
  ["GET /v1/a/5%3Ak=3", 200],
  ["GET /v1/a/5:k=x", 400],
  ["GET /v1/a/x:k=3", 400],
  ["POST /v1/tree", 200, '{"v":1,"kids":[{"v":2}]}'],
  ["POST /v1/tree", 400, '{"v":1,"kids":[{"v":"2"}]}'],
  ["POST /v1/id", 200, '{"a":1,"b":"x","c":true}'],
  ["POST /v1/id", 400, '{"a":"1"}'],
  ["POST /v1/id", 400, '{"b":1}'],
  ["POST /v1/id", 400, '{"c":1}'],
  ["GET /v1/gr%C3%B6%C3%9Fe/5/$count", 200],
  ["GET /v1/gr%c3%b6%c3%9fe/5/%24count", 200],
  ["GET /v1/gr%C3%B6%C3%9Fe/x/$count", 400],
  ["POST /v1/true", 200, "[1]"],
  ["POST /v1/false", 400, "[1]"],
  ["POST /v1/null", 200, "null"],
  ["POST /v1/null", 400, '"a"'],
  ["GET /v1/noresp", 200],
  ["POST /v1/newPet", 404, "{}"],
];
const ROWS_32: readonly Row[] = [
  ["GET /v2/qs?foo=1", 200],
  ["GET /v3/qs?foo=1", 200],
  ["GET /v2/qs?foo=x", 400],
  ["GET /v2/qs?foo=1&bar=2", 400],
  ["GET /v2/qs", 400],
  ["COPY /v2/s", 200],
  ["GET /v2/s", 405],
  ["POST /v2/lines", 200, '{"n":1}\n{"n":2}\n', "application/jsonl"],
  ["POST /v2/lines", 400, '{"n":1}\n{"n":"2"}\n', "application/jsonl"],
  ["POST /v2/lines", 200, '\x1e{"n":1}\n\x1e{"n":2}\n', "application/json-seq"],
  ["POST /v2/lines", 400, '\x1e{"n":1}\n\x1e{"m":2}\n', "application/json-seq"],
  ["POST /v2/lines", 200, "data: x\n\n", "text/event-stream"],
  ["POST /v2/lines", 400, "event: x\n\n", "text/event-stream"],
  ["POST /v2/mt", 200, '{"z":1}'],
  ["POST /v2/mt", 400, "{}"],
  ["POST /v2/disc", 200, '{"kind":"cat","lives":9}'],
  ["POST /v2/disc", 400, '{"kind":"cat"}'],
  ["POST /v2/disc", 200, '{"kind":"dog","x":1}'],
  ["POST /v2/self", 200, '{"n":1}'],
  ["POST /v2/self", 400, "{}"],
];

for (const [version, files, rows] of [
  ["3.1", FILES_31, ROWS_31],
  ["3.2", { "odd.yaml": ODD_32 }, ROWS_32],
] as const) {
  test(`what ${version} allows and few documents use is read as it is meant`, async (t) => {
    const { send } = await projectGateway(t, { files });
    for (const [ask, status, body, type = "application/json"] of rows) {
      const [method = "", target = ""] = ask.split(" ");
      const answer = await send(method, target, body === undefined ? {} : { "content-type": type }, body);
      assert.equal(answer.status, status, `${ask} ${body}: ${answer.text}`);
    }
  });
}

test("an example that is written already (serializedValue) is sent as it stands", async (t) => {
  const { send } = await projectGateway(t, { files: { "odd.yaml": ODD_32 }, routes: [{ mock: true }] });
  const json = { "content-type": "application/json" };
  const named = await send("POST", "/v2/mt", { ...json, prefer: "example=two" }, '{"z":1}');
  assert.equal(named.text, '{"a": 2}');
  assert.equal((await send("POST", "/v2/mt", { ...json, prefer: "example=one" }, '{"z":1}')).text, '{"a":1}');
});

test("webhooks stand in the merged document, with ids of their own", async (t) => {
  const { url } = await projectGateway(t, { files: FILES_31, routes: [{ prefix: "/a" }, { prefix: "/b" }] });
  const { webhooks, paths } = (await (await fetch(`${url}/.well-known/openapi.json`)).json()) as Record<string, never>;
  const at = (holder: unknown, ...keys: string[]): unknown =>
    keys.reduce((value, key) => (value as Record<string, unknown> | undefined)?.[key], holder);
  assert.deepEqual(Object.keys(webhooks ?? {}), ["newPet", "Odd.newPet"]);
  const ids = [
    at(paths, "/a/noresp", "get", "operationId"),
    at(webhooks, "newPet", "post", "operationId"),
    at(paths, "/b/noresp", "get", "operationId"),
    at(webhooks, "Odd.newPet", "post", "operationId"),
  ];
  assert.equal(new Set(ids).size, 4, String(ids));
});

test("lists of 2.0 are parted as they say, also where 3.x has no style for it", async (t) => {
  const list = (where: string, collectionFormat: string): object => ({
    name: "ids",
    in: where,
    required: true,
    type: "array",
    items: { type: "integer" },
    maxItems: 2,
    collectionFormat,
  });
  const get = (parameter: object): { get: object } => ({
    get: { parameters: [parameter], responses: { 200: { description: "ok" } } },
  });
  const document = {
    swagger: "2.0",
    info: { title: "t", version: "1" },
    paths: {
      "/tabs": get(list("query", "tsv")),
      "/pipes/{ids}": get(list("path", "pipes")),
      "/spaces": get(list("header", "ssv")),
      "/form": { post: get(list("formData", "tsv")).get },
    },
  };
  const { send } = await specGateway(t, { document });
  for (const [body, status] of [
    ["ids=1%092", 200],
    ["ids=1%092%093", 400],
  ] as const) {
    assert.equal((await send("POST", "/form", { body: new URLSearchParams(body) })).status, status, body);
  }
  for (const [path, headers, status] of [
    ["/tabs?ids=1%092", {}, 200],
    ["/tabs?ids=1%09x", {}, 400],
    ["/tabs?ids=1%092%093", {}, 400],
    ["/pipes/1%7C2", {}, 200],
    ["/pipes/1%7C2%7C3", {}, 400],
    ["/spaces", { ids: "1 2" }, 200],
    ["/spaces", { ids: "1 2 3" }, 400],
  ] as const) {
    assert.equal((await send("GET", path, { headers })).status, status, path);
  }
});

test("a requirement of 3.2 may name its scheme by URI", async (t) => {
  const get = (name: string): object => ({
    get: { security: [{ [name]: [] }], responses: { 200: { description: "ok" } } },
  });
  const document = {
    openapi: "3.2.0",
    $self: "https://api.example.com/spec.json",
    info: { title: "t", version: "1" },
    components: { securitySchemes: { key: { type: "apiKey", in: "header", name: "X-Key" } } },
    paths: {
      "/own": get("#/components/securitySchemes/key"),
      "/self": get("https://api.example.com/spec.json#/components/securitySchemes/key"),
    },
  };
  const route = { security: { key: { "api-key": { keys: { s3cret: "ada" } } } } };
  const { send } = await specGateway(t, { document, route });
  for (const path of ["/own", "/self"]) {
    assert.equal((await send("GET", path, { headers: { "X-Key": "s3cret" } })).status, 200, path);
    assert.equal((await send("GET", path)).status, 401, path);
  }
});

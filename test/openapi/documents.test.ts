import assert from "node:assert/strict";
import { symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { SpecError } from "../../src/openapi/spec-error.ts";
import { bodyCheck, documentOf, specOf } from "../support/spec-files.ts";

const SWAGGER = `
swagger: "2.0"
info: { title: Old, version: 1.0.0 }
host: api.example.com
basePath: /v2
consumes: [application/json]
produces: [application/json]
parameters:
  Limit: { name: limit, in: query, type: integer, maximum: 10 }
securityDefinitions:
  basic: { type: basic }
  oauth: { type: oauth2, flow: accessCode, authorizationUrl: "https://a", tokenUrl: "https://b", scopes: { read: x } }
paths:
  /pets:
    parameters:
      - $ref: "#/parameters/Limit"
    get:
      parameters:
        - { name: tags, in: query, type: array, items: { type: string }, collectionFormat: pipes }
        - { name: ids, in: query, type: array, items: { type: integer }, collectionFormat: multi }
      responses:
        200: { description: ok, schema: { $ref: "#/definitions/Pet" }, headers: { X-Count: { type: integer } } }
    post:
      parameters:
        - { name: pet, in: body, required: true, schema: { $ref: "#/definitions/Pet" } }
      responses: { 201: { description: made } }
  /pets/{id}/photo:
    put:
      consumes: [multipart/form-data]
      parameters:
        - { name: id, in: path, required: true, type: string }
        - { name: photo, in: formData, type: file, required: true }
        - { name: tags, in: formData, type: array, items: { type: string }, collectionFormat: csv }
      responses: { default: { description: any } }
definitions:
  Pet: { type: object, required: [name], properties: { name: { type: string, x-nullable: true } } }
`;

test("a document of Swagger 2.0 is one of the model: bodies, forms, collection formats, servers, schemes", async (t) => {
  const spec = await specOf(t, { "old.yaml": SWAGGER });
  const [list, add, photo] = spec.operations;
  assert.equal(spec.basePath, "/v2");
  assert.equal(photo?.publicPath, "/v2/pets/{id}/photo");
  assert.deepEqual(
    list?.parameters.map(({ name, style, explode }) => `${name} ${style} ${explode}`),
    ["limit form false", "tags pipeDelimited false", "ids form true"].map((text) =>
      text.replace("limit form false", "limit form true"),
    ),
  );
  assert.equal(list?.responses.get("200")?.headers[0]?.name, "X-Count");
  assert.equal(add?.requestBody?.required, true);
  assert.ok(bodyCheck(spec, 1)({ name: null }));
  assert.ok(!bodyCheck(spec, 1)({}));
  assert.equal(photo?.requestBody?.content[0]?.type, "multipart/form-data");
  assert.deepEqual(photo?.requestBody?.content[0]?.encoding.tags?.explode, false);
  assert.equal(spec.securitySchemes.get("basic")?.scheme, "basic");
  const exported = spec.info.document as { openapi: string; components: { schemas: object } };
  assert.equal(exported.openapi, "3.1.1");
  assert.ok(JSON.stringify(exported).includes('"#/components/schemas/Pet"'));
});

test("a spec in many files is one spec: schemas, parameters, responses and whole path items", async (t) => {
  const spec = await specOf(t, {
    "api.yaml": `
openapi: 3.0.3
info: { title: Split, version: "1" }
paths:
  /pets: { $ref: "paths/pets.yaml" }
  /pets/{id}: { $ref: "paths/pets.yaml#/~1pets~1%7Bid%7D" }
`,
    "paths/pets.yaml": `
post:
  requestBody: { content: { application/json: { schema: { $ref: "../schemas/pet.yaml" } } } }
  responses: { 200: { $ref: "../shared.yaml#/responses/Fine" } }
/pets/{id}:
  get:
    parameters: [{ $ref: "../shared.yaml#/parameters/Id" }]
    responses: {}
`,
    "schemas/pet.yaml": "{ type: object, required: [owner], properties: { owner: { $ref: 'owner.yaml#/Owner' } } }",
    "schemas/owner.yaml": "Owner: { type: object, properties: { pets: { type: array, items: { $ref: pet.yaml } } } }",
    "shared.yaml": `
parameters: { Id: { name: id, in: path, required: true, schema: { type: integer } } }
responses: { Fine: { description: Fine } }
`,
  });
  assert.deepEqual(
    spec.operations.map(({ id }) => id),
    ["POST /pets", "GET /pets/{id}"],
  );
  assert.equal(spec.operations[0]?.responses.get("200")?.description, "Fine");
  assert.equal(spec.operations[1]?.parameters[0]?.name, "id");
  const isValid = bodyCheck(spec);
  assert.ok(isValid({ owner: { pets: [{ owner: {} }] } }));
  assert.ok(!isValid({ owner: { pets: [{}] } }));
  assert.ok(!JSON.stringify(spec.info.document).includes(".yaml"), "what is exported is one document");
});

test("additional operations, the query method, querystring and item schemas of 3.2 are read", async (t) => {
  const schema = { type: "object" };
  const spec = await specOf(t, {
    "api.json": {
      openapi: "3.2.0",
      info: { title: "New", version: "1" },
      paths: {
        "/logs": { $ref: "#/components/pathItems/Logs" },
      },
      components: {
        pathItems: {
          Logs: {
            query: {
              parameters: [
                { name: "q", in: "querystring", content: { "application/x-www-form-urlencoded": { schema } } },
              ],
              responses: { 200: { description: "ok", content: { "application/jsonl": { itemSchema: schema } } } },
            },
            additionalOperations: { COPY: { responses: {} } },
          },
        },
      },
    },
  });
  assert.deepEqual(
    spec.operations.map(({ method }) => method),
    ["QUERY", "COPY"],
  );
  assert.equal(spec.operations[0]?.parameters[0]?.in, "querystring");
  assert.deepEqual(spec.operations[0]?.responses.get("200")?.content[0]?.itemSchema, schema);
});

test("servers of an operation go before those of its path and of the document; variables have their defaults", async (t) => {
  const spec = await specOf(t, {
    "api.yaml": `
openapi: 3.0.3
info: { title: Servers, version: "1" }
servers: [{ url: "https://{tenant}.example.com/{base}/", variables: { base: { default: v1 } } }]
paths:
  /a: { get: { responses: {} } }
  /b: { servers: [{ url: /v2 }], get: { responses: {} }, put: { servers: [{ url: "//h/v3/" }], responses: {} } }
  /: { get: { responses: {} } }
`,
  });
  assert.deepEqual(
    spec.operations.map(({ publicPath }) => publicPath),
    ["/v1/a", "/v2/b", "/v3/b", "/v1/"],
  );
});

test("an operation is told where it stands, by line and column", async (t) => {
  const spec = await specOf(t, { "old.yaml": SWAGGER });
  const { line, column } = spec.operations[1]?.location ?? {};
  assert.deepEqual({ line, column }, { line: 23, column: 5 });
});

const nested = (depth: number): string => `${'{"allOf":['.repeat(depth)}{}${"]}".repeat(depth)}`;
const chain = Object.fromEntries(
  Array.from({ length: 10_000 }, (_, i) => [`S${i}`, { allOf: [{ $ref: `#/components/schemas/S${i + 1}` }] }]),
);
const bomb = ["a: &a [x, x, x, x, x, x, x, x, x]"]
  .concat([..."bcdefghij"].map((name, i) => `${name}: &${name} [${Array(9).fill(`*${"abcdefghij"[i]}`).join(",")}]`))
  .join("\n");
const withReference = (reference: string): object => documentOf({ $ref: reference });

const REFUSED: readonly (readonly [
  what: string,
  files: Record<string, string | object>,
  message: RegExp,
  place?: string,
])[] = [
  ["a reference over http", { "a.json": withReference("http://169.254.169.254/x") }, /not fetched/, "1:123"],
  [
    "a reference to a meta-schema that is none",
    { "a.json": withReference("https://json-schema.org/draft/2020-12/none") },
    /not fetched/,
  ],
  ["a reference to file:", { "a.json": withReference("file:///etc/passwd") }, /not fetched/],
  ["a reference to another host's file", { "a.json": withReference("//evil/x.yaml") }, /not fetched/],
  ["a reference out of the folder", { "a.json": withReference("../../../etc/hosts") }, /leaves the folder/],
  ["an encoded reference out of the folder", { "a.json": withReference("..%2f..%2fetc%2fhosts") }, /hides a slash/],
  ["a reference to a file that is not there", { "a.json": withReference("none.yaml") }, /does not exist/],
  [
    "a reference to a file with a slash behind it",
    { "a.json": withReference("b.yaml/#/x"), "b.yaml": "x: 1" },
    /a folder/,
  ],
  ["a reference to a folder", { "a.json": withReference("b"), "b/c.yaml": "x: 1" }, /a folder/],
  ["a reference to nothing", { "a.json": withReference("#/components/schemas/None") }, /points to nothing/],
  [
    "a reference to itself",
    { "a.json": documentOf({ $ref: "#/components/schemas/A" }, { A: { $ref: "#/components/schemas/A" } }) },
    /leads back to itself/,
  ],
  [
    "10,000 nested allOf",
    { "a.json": `{"openapi":"3.1.0","paths":{},"components":{"schemas":{"A":${nested(10_000)}}}}` },
    /nested deeper/,
  ],
  [
    "10,000 allOf, each referring to the next",
    { "a.json": documentOf({}, { ...chain, S10000: {} }) },
    /more than 256 schemas/,
  ],
  ["a YAML bomb", { "a.yaml": `openapi: 3.1.0\npaths: {}\nx: \n${bomb.replace(/^/gm, "  ")}` }, /aliases/, "13:34"],
  ["an alias inside itself", { "a.yaml": "openapi: 3.1.0\nx: &x [*x]" }, /alias/, "2:8"],
  [
    "a tag that makes code",
    { "a.yaml": 'openapi: 3.1.0\nx: !!js/function "function () {}"' },
    /unknown scalar tag/,
    "2:4",
  ],
  ["YAML with a key twice", { "a.yaml": "openapi: 3.1.0\nopenapi: 3.1.0" }, /duplicated mapping key/, "2:1"],
  ["broken JSON", { "a.json": '{"openapi": "3.1.0",\n  "paths": }' }, /is not JSON/],
  ["a version that is not known", { "a.json": { openapi: "4.0.0" } }, /version 4\.0\.0/, "1:1"],
  ["what is no OpenAPI", { "a.json": { hello: 1 } }, /neither `openapi` nor `swagger`/, "1:1"],
  ["a list", { "a.json": "[]" }, /not a mapping/, "1:1"],
];

for (const [what, files, message, place] of REFUSED) {
  test(`${what} is refused by name`, async (t) => {
    await assert.rejects(specOf(t, files), (error) => {
      assert.ok(error instanceof SpecError, String((error as Error).stack));
      assert.match(error.message, message);
      if (place !== undefined) assert.equal(`${error.location.line}:${error.location.column}`, place);
      return true;
    });
  });
}

test("a link inside the folder that leads out of it is refused", async (t) => {
  const spec = await specOf(t, {
    "api.json": documentOf({}),
    "in/api.json": documentOf({ $ref: "link.yaml" }),
    "out.yaml": "type: string",
  });
  const folder = join(dirname(spec.info.file), "in");
  await symlink("../out.yaml", join(folder, "link.yaml"));
  const { readDocument } = await import("../../src/openapi/load.ts");
  const { toSpec } = await import("../../src/openapi/operations.ts");
  const file = join(folder, "api.json");
  const { value } = await readDocument(file);
  assert.throws(() => toSpec(value, file, undefined), /leaves the folder/);
});

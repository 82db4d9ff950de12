import assert from "node:assert/strict";
import { test } from "node:test";
import { projectGateway } from "../support/project-gateway.ts";

// Each row was a bug of another gateway, in reading documents or finding operations. Unless it says otherwise: Kong's
// oas-validation (developer.konghq.com, its changelog). Those of parameters, bodies and answers: test/validating.

const ok = { responses: { 200: { description: "ok" } } };
const document = (paths: object, more: object = {}): object => ({
  openapi: "3.1.0",
  info: { title: "T", version: "1" },
  paths,
  ...more,
});
/** `GET` with path parameters of these schemas. */
const get = (schemas: Record<string, object> = {}): object => ({
  get: {
    ...ok,
    parameters: Object.entries(schemas).map(([name, schema]) => ({ name, in: "path", required: true, schema })),
  },
});
const integer = { type: "integer" };
const servers = (...urls: string[]): object => ({ servers: urls.map((url) => ({ url })) });

/** `GET` unless the target says another method. */
type Row = [name: string, document: object | string, asked: Record<string, number>];

const ROWS: Row[] = [
  [
    "parameters could not be found when $ appears in the path",
    document({ "/odata/$metadata/{id}": get({ id: integer }), "/items('{key}')/$value": get({ key: integer }) }),
    { "/odata/$metadata/1": 200, "/odata/$metadata/x": 400, "/items('5')/$value": 200, "/items('x')/$value": 400 },
  ],
  [
    "a path with characters that regular expressions escape was not found",
    document({ "/a.b+(c)[d]/{id}": get({ id: integer }), "/x*/y^z": get() }),
    {
      "/a.b+(c)%5Bd%5D/1": 200,
      "/a.b+(c)%5Bd%5D/x": 400,
      "/aXb+(c)%5Bd%5D/1": 404,
      "/x*/y%5Ez": 200,
      "/xx/y%5Ez": 404,
    },
  ],
  [
    "a path parameter with a hyphen in its name had no value",
    document({ "/a/{user-id}/b/{post.id}/{x_1}": get({ "user-id": integer, "post.id": integer, x_1: integer }) }),
    { "/a/1/b/2/3": 200, "/a/x/b/2/3": 400, "/a/1/b/x/3": 400, "/a/1/b/2/x": 400 },
  ],
  [
    "a path parameter could not hold characters beyond ASCII",
    document({ "/größe/{wert}": get({ wert: { type: "string", pattern: "^[äöü漢]+$" } }) }),
    { "/gr%C3%B6%C3%9Fe/%C3%A4%E6%BC%A2": 200, "/gr%c3%b6%c3%9fe/%c3%bc": 200, "/gr%C3%B6%C3%9Fe/abc": 400 },
  ],
  [
    "a path whose server is / was not found",
    document({ "/a/{id}": get({ id: integer }) }, servers("/")),
    { "/a/1": 200, "/a/x": 400, "//a/1": 400 },
  ],
  [
    "the base path did not count when there were several servers",
    document(
      { "/a": get() },
      servers("https://api.example.com/v1", "https://api.example.com/v2", "http://localhost/dev"),
    ),
    { "/v1/a": 200, "/v2/a": 200, "/a": 404, "/dev/a": 404 },
  ],
  [
    "escaped characters of a path were unescaped, and another path was looked for",
    document({
      "/a/{id}": get({ id: { enum: ["x/y", "50%", "a b", "?", "#"] } }),
      "/a/{id}/y": get({ id: { const: "z" } }),
    }),
    { "/a/x%2Fy": 200, "/a/x%2fy": 200, "/a/50%25": 200, "/a/a%20b": 200, "/a/%3F": 200, "/a/%23": 200, "/a/x/y": 400 },
  ],
  [
    "null as YAML 1.1 writes it was no null",
    `
openapi: 3.0.3
info: { title: T, version: "1" }
paths:
  /a:
    get:
      parameters:
        - { name: n, in: query, content: { application/json: { schema: { nullable: true, type: string, enum: [~, Null, NULL, null, x] } } } }
      responses: { 200: { description: ok } }
      description: ~
      tags:
      externalDocs: Null
    parameters:
    servers: NULL
    summary:
components: ~
tags: null
security:
`,
    { "/a": 200, "/a?n=null": 200, "/a?n=%22x%22": 200, "/a?n=%22y%22": 400 },
  ],
  [
    "valid path parameters were refused",
    document({ "/a/{id}": get({ id: { type: "string", format: "uuid" } }), "/b/{n}": get({ n: { type: "number" } }) }),
    { "/a/123e4567-e89b-12d3-a456-426614174000": 200, "/a/123": 400, "/b/1.5": 200, "/b/-1e3": 200, "/b/x": 400 },
  ],
  [
    "a path that is not in the spec and a method that the path has not were told alike",
    document({ "/a": get() }),
    { "/b": 404, "POST /a": 405, "OPTIONS /a": 204, "HEAD /a": 200, "/a/": 404 },
  ],
  [
    "a parameter by reference, with a schema by reference, was a fault of the plugin",
    document(
      { "/a/{id}": { get: { ...ok, parameters: [{ $ref: "#/components/parameters/Id" }] } } },
      {
        components: {
          parameters: { Id: { name: "id", in: "path", required: true, schema: { $ref: "#/components/schemas/Id" } } },
          schemas: { Id: { $ref: "#/components/schemas/Number" }, Number: integer },
        },
      },
    ),
    { "/a/1": 200, "/a/x": 400 },
  ],
  [
    "an operation without operationId could not be imported, a path ended after its first parameter (APISIX dashboard #2465)",
    document({ "/a/{x}/b/{y}/c": get({ x: integer, y: integer }), "/a/{x}": get({ x: integer }) }, servers("/v1")),
    { "/v1/a/1/b/2/c": 200, "/v1/a/1": 200, "/v1/a/1/b/2": 404, "/v1/a/1/b/x/c": 400, "/a/1": 404 },
  ],
  [
    "paths were tried in the order of the document (Prism)",
    document({
      "/{a}/{b}": get({ a: { const: "none" } }),
      "/pets/{id}": get({ id: integer }),
      "/pets/{name}.json": get({ name: { const: "rex" } }),
      "/pets/mine": get(),
    }),
    { "/pets/mine": 200, "/pets/rex.json": 200, "/pets/1": 200, "/pets/other": 400, "/none/x": 200 },
  ],
  [
    "templates that differ in names only were one (Tyk)",
    document({
      "/e/{name}": get({ name: { type: "string", pattern: "^[a-z]+$" } }),
      "/e/{id}": get({ id: integer }),
      "/e/{id}/x": get({ id: integer }),
    }),
    { "/e/1": 200, "/e/abc": 200, "/e/ABC": 400, "/e/1/x": 200, "/e/abc/x": 400 },
  ],
  [
    "a verb after a colon was part of the parameter (grpc-gateway #224, express-openapi-validator #56)",
    document({
      "/b/{id}:cancel": { post: { ...ok, parameters: [{ name: "id", in: "path", required: true, schema: integer }] } },
      "/b/{id}": get({ id: integer }),
      "/b/{a}:{b}": get({ a: integer, b: { const: "x" } }),
    }),
    {
      "POST /b/1:cancel": 200,
      "POST /b/1%3Acancel": 200,
      "POST /b/x:cancel": 400,
      "/b/1": 200,
      "/b/1:x": 200,
      "/b/1:y": 400,
    },
  ],
  [
    "nullable without a type kept the document from loading (Prism and fastify-openapi-glue, GitHub's description)",
    { ...document({ "/a/{id}": get({ id: { nullable: true, enum: ["x"] } }) }), openapi: "3.0.3" },
    { "/a/x": 200, "/a/y": 400 },
  ],
  [
    "a base path of Swagger 2.0 without its slash, or with one at its end, was doubled or lost",
    { swagger: "2.0", info: { title: "T", version: "1" }, basePath: "v2/", paths: { "/a": get() } },
    { "/v2/a": 200, "/v2//a": 400, "/a": 404 },
  ],
];

for (const [name, content, asked] of ROWS) {
  test(name, async (t) => {
    const file = typeof content === "string" ? "spec.yaml" : "spec.json";
    const gateway = await projectGateway(t, { files: { [file]: content } });
    for (const [line, status] of Object.entries(asked)) {
      const [method, target] = line.startsWith("/") ? ["GET", line] : (line.split(" ") as [string, string]);
      const answer = await gateway.send(method, target);
      assert.equal(answer.status, status, `${line}: ${answer.text}`);
      // What the service is asked for is what the client sent, in its one normal form.
      if (status === 200 && method === "GET")
        assert.equal(
          answer.text,
          target.replace(/%[0-9a-f]{2}/g, (x) => x.toUpperCase()),
        );
    }
  });
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { projectGateway } from "../support/project-gateway.ts";
import { specOf } from "../support/spec-files.ts";

const ok = { 200: { description: "ok" } };
const pets = (title: string, more: object): object => ({
  openapi: "3.0.3",
  info: { title, version: "1" },
  tags: [{ name: "pets", description: title }],
  paths: {
    "/pets": {
      parameters: [{ $ref: "#/components/parameters/Limit" }],
      post: {
        operationId: "addPet",
        tags: ["pets"],
        security: [{ key: [] }],
        requestBody: {
          content: {
            "application/json": {
              schema: { $ref: "#/components/schemas/Pet" },
              example: { $ref: "#/components/schemas/Pet", security: [{ key: [] }] },
            },
          },
        },
        responses: {
          201: {
            description: "made",
            links: {
              get: { operationId: "getPet", parameters: { id: "$response.body#/id" } },
              all: { operationRef: "#/paths/~1pets~1{id}/get" },
            },
          },
        },
      },
    },
    "/pets/{id}": {
      get: {
        operationId: "getPet",
        parameters: [{ name: "id", in: "path", required: true, schema: { type: "string", nullable: true } }],
        responses: ok,
      },
    },
  },
  components: {
    parameters: { Limit: { name: "limit", in: "query", schema: { type: "integer" } } },
    securitySchemes: { key: { type: "apiKey", in: "header", name: `x-${title}` } },
    schemas: {
      Pet: {
        oneOf: [{ $ref: "#/components/schemas/Cat" }, { $ref: "#/components/schemas/Dog" }],
        discriminator: { propertyName: "kind", mapping: { wau: "Dog" } },
      },
      Cat: { type: "object", properties: { kind: { type: "string" }, default: { $ref: "#/components/schemas/Name" } } },
      Dog: { type: "object", required: ["kind"], properties: { kind: { type: "string" } } },
      Name: { type: "string", nullable: true, minLength: 1 },
      Base: { type: "object", discriminator: { propertyName: "kind" }, properties: { kind: { type: "string" } } },
      Child: { allOf: [{ $ref: "#/components/schemas/Base" }], required: ["x"] },
    },
  },
  ...more,
});

const FILES = {
  "a.json": pets("Alpha", { servers: [{ url: "https://example.com/a" }] }),
  "b.json": pets("Beta", {}),
  "c.json": pets("Gamma", {}),
  "d.yaml":
    "swagger: '2.0'\ninfo: { title: Old, version: '1' }\nbasePath: /old\npaths: { /x: { get: { responses: { 200: { description: ok, schema: { $ref: 'e.yaml#/Thing' } } } } } }\n",
  "e.yaml":
    "Thing: { type: object, properties: { other: { $ref: '#/Other' } } }\nOther: { type: string, x-nullable: true }\n",
  "f.json": {
    openapi: "3.1.0",
    info: { title: "Uses", version: "1" },
    paths: {
      "/token#get": { post: { operationId: "get", responses: ok } },
      "/token#renew": { post: { operationId: "renew", responses: ok } },
    },
  },
};
const ROUTES = [
  { openapi: "a.json" },
  { openapi: "b.json", prefix: "/b", host: "pets.example.com" },
  { openapi: "c.json", prefix: "/b", host: ["*.example.org", "c.example.net"] },
  { openapi: "d.yaml" },
  { openapi: "f.json" },
];

// biome-ignore lint/suspicious/noExplicitAny: a test looks into the document
const merge = async (t: Parameters<typeof projectGateway>[0]): Promise<{ merged: any; url: string }> => {
  const { url } = await projectGateway(t, { files: FILES, routes: ROUTES });
  return { merged: await (await fetch(`${url}/.well-known/openapi.json`)).json(), url };
};

test("the merged document is valid, by the schema of its version of OpenAPI", async (t) => {
  const { merged } = await merge(t);
  const { valid, errors } = await new Validator().validate(structuredClone(merged));
  assert.equal(valid, true, JSON.stringify(errors));
  assert.equal(merged.openapi, "3.1.1");
});

test("specs with the same names do not meet: schemas, schemes, ids, links and mappings keep their own", async (t) => {
  const { merged } = await merge(t);
  const { schemas, securitySchemes, parameters } = merged.components;
  assert.deepEqual(Object.keys(securitySchemes), ["key", "Beta.key", "Gamma.key"]);
  assert.equal(securitySchemes["Beta.key"].name, "x-Beta");
  assert.deepEqual(Object.keys(parameters), ["Limit", "Beta.Limit", "Gamma.Limit"]);
  const { post } = merged.paths["/b/pets"];
  assert.equal(post.operationId, "Beta.addPet");
  assert.deepEqual(post.security, [{ "Beta.key": [] }]);
  assert.deepEqual(post.parameters, [{ $ref: "#/components/parameters/Beta.Limit" }]);
  assert.equal(post.responses[201].links.get.operationId, "Beta.getPet");
  assert.equal(post.responses[201].links.all.operationRef, "#/paths/~1b~1pets~1%7Bid%7D/get");
  const media = post.requestBody.content["application/json"];
  assert.deepEqual(media.schema, { $ref: "#/components/schemas/Beta.Pet" });
  assert.deepEqual(media.example, { $ref: "#/components/schemas/Pet", security: [{ key: [] }] }, "data stays as it is");
  assert.deepEqual(schemas["Beta.Cat"].properties.default, { $ref: "#/components/schemas/Beta.Name" });
  // Cat has no mapping: its name was the value that chooses it, and still must be.
  const mapping = { wau: "#/components/schemas/Beta.Dog", Cat: "#/components/schemas/Beta.Cat" };
  assert.deepEqual(schemas["Beta.Pet"].discriminator.mapping, mapping);
  assert.deepEqual(schemas["Beta.Base"].discriminator.mapping, { Child: "#/components/schemas/Beta.Child" });
  assert.deepEqual(schemas.Pet.discriminator.mapping, { wau: "Dog" });
  assert.deepEqual(merged.tags, [{ name: "pets", description: "Alpha" }]);
});

test("what only some hosts serve names them, and the same path of two hosts stands twice", async (t) => {
  const { merged } = await merge(t);
  assert.deepEqual(Object.keys(merged.paths), [
    "/a/pets",
    "/a/pets/{id}",
    "/b/pets",
    "/b/pets/{id}",
    "/b/pets#*.example.org",
    "/b/pets/{id}#*.example.org",
    "/old/x",
    "/token",
  ]);
  assert.equal(merged.paths["/a/pets"].post.servers, undefined);
  assert.deepEqual(merged.paths["/b/pets"].post.servers, [{ url: "//pets.example.com" }]);
  assert.deepEqual(merged.paths["/b/pets#*.example.org"].post.servers, [
    { url: "//{subdomain}.example.org", variables: { subdomain: { default: "www" } } },
    { url: "//c.example.net" },
  ]);
});

test("other files come with the document, older versions are brought to 3.1, and uses of one operation stand once", async (t) => {
  const { merged } = await merge(t);
  const thing = merged.paths["/old/x"].get.responses[200].content["application/json"].schema;
  assert.deepEqual(thing, { $ref: "#/components/schemas/Thing" });
  assert.deepEqual(merged.components.schemas.Other.type, ["string", "null"]);
  assert.deepEqual(Object.keys(merged.paths["/token"]), ["post"]);
  const again = await specOf(t, { "merged.json": merged });
  // Read again, what only hosts tell apart is one where it is guarded alike.
  assert.equal(again.operations.length, 7);
  for (const { parameters, spec } of again.operations) for (const { schema } of parameters) spec.bundle(schema ?? true);
});

test("the catalog has an entry for each base and host of an API (RFC 9727)", async (t) => {
  const { url } = await merge(t);
  const response = await fetch(`${url}/.well-known/api-catalog`);
  const { linkset } = (await response.json()) as { linkset: { anchor: string; "service-desc": { title: string }[] }[] };
  const { port } = new URL(url);
  assert.deepEqual(
    linkset.map(({ anchor, "service-desc": [description] }) => `${description?.title} ${anchor}`),
    [
      `Alpha ${url}/a`,
      `Beta http://pets.example.com:${port}/b`,
      `Gamma http://c.example.net:${port}/b`,
      `Old ${url}/old`,
      `Uses ${url}/`,
    ],
  );
  assert.equal(
    response.headers.get("content-type"),
    'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"',
  );
  const head = await fetch(`${url}/.well-known/api-catalog`, { method: "HEAD" });
  assert.deepEqual([head.status, head.headers.get("content-length")], [200, response.headers.get("content-length")]);
  assert.equal(head.headers.get("link"), '</.well-known/api-catalog>; rel="api-catalog"');
  for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
    const refused = await fetch(`${url}/.well-known/api-catalog`, { method });
    assert.deepEqual([refused.status, refused.headers.get("allow")], [405, "GET, HEAD, OPTIONS"]);
  }
});

test("who has the merged document or the catalog is not sent it again", async (t) => {
  const { url } = await projectGateway(t, { files: FILES, routes: ROUTES });
  for (const path of ["/.well-known/openapi.json", "/.well-known/api-catalog"]) {
    const first = await fetch(url + path);
    const etag = String(first.headers.get("etag"));
    assert.ok((await first.text()).length > 0);
    const again = await fetch(url + path, { headers: { "if-none-match": `"other", W/${etag}` } });
    assert.deepEqual([again.status, await again.text(), again.headers.get("etag")], [304, "", etag]);
    assert.equal((await fetch(url + path, { headers: { "if-none-match": '"other"' } })).status, 200);
  }
});

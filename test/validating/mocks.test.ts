import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Operation } from "../../src/core/operation.ts";
import { toSpec } from "../../src/openapi/operations.ts";
import { samplePattern } from "../../src/validating/mock/pattern-sample.ts";
import { findSample } from "../../src/validating/mock/sample.ts";
import { schemaCheck } from "../../src/validating/schema/check.ts";
import { specGateway } from "../support/spec-gateway.ts";

const pet = {
  type: "object",
  required: ["id", "name", "born"],
  properties: {
    id: { type: "integer", minimum: 1 },
    name: { type: "string", pattern: "^[A-Z][a-z]{2,8}$" },
    born: { type: "string", format: "date" },
    pin: { type: "string", writeOnly: true },
  },
  additionalProperties: false,
};
const document = {
  openapi: "3.1.0",
  info: { title: "Mocks", version: "1" },
  paths: {
    "/pets/{id}": {
      get: {
        parameters: [{ name: "id", in: "path", required: true, schema: { type: "integer" } }],
        responses: {
          200: {
            description: "ok",
            headers: { "X-Left": { required: true, schema: { type: "integer", example: 7 } } },
            content: {
              "application/json": {
                schema: pet,
                examples: { rex: { value: { id: 1, name: "Rex" } }, tom: { value: { id: 2, name: "Tom" } } },
              },
              "text/plain": { schema: { type: "string" }, example: "Rex" },
            },
          },
          404: {
            description: "none",
            content: { "application/json": { examples: { gone: { value: { title: "gone" } } } } },
          },
        },
      },
      delete: {
        parameters: [{ name: "id", in: "path", required: true, schema: {} }],
        responses: { 204: { description: "done" } },
      },
      put: {
        parameters: [{ name: "id", in: "path", required: true, schema: {} }],
        responses: {
          default: {
            description: "ok",
            content: {
              "application/json": { schema: pet },
              "application/xml": { schema: { ...pet, xml: { name: "pet" } } },
            },
          },
        },
      },
    },
  },
};
const withoutUpstream = { document, hasUpstream: false, route: { mock: true } } as const;

test("an operation without a service is answered from its spec, after it has been validated", async (t) => {
  const gateway = await specGateway(t, withoutUpstream);
  const first = await gateway.send("GET", "/pets/1");
  assert.equal(first.status, 200);
  assert.deepEqual(first.json, { id: 1, name: "Rex" });
  assert.equal(first.headers.get("x-left"), "7");
  assert.equal(first.headers.get("preference-applied"), null);
  assert.equal((await gateway.send("GET", "/pets/x")).status, 400);
  assert.equal((await gateway.send("DELETE", "/pets/1")).status, 204);
  assert.equal((await gateway.send("GET", "/pets/1", { headers: { accept: "text/plain" } })).text, "Rex");
  assert.equal(gateway.received.length, 0);
});

const PREFERENCES: Record<string, [prefer: string, status: number, value: unknown, applied: string | null]> = {
  "a status": ["code=404", 404, { title: "gone" }, "code=404"],
  "an example": ["example=tom", 200, { id: 2, name: "Tom" }, "example=tom"],
  both: ["code=404, example=gone", 404, { title: "gone" }, "example=gone, code=404"],
  "an example of another status": ["example=gone", 404, { title: "gone" }, "example=gone"],
  "what the spec does not have": ["code=418, example=none", 200, { id: 1, name: "Rex" }, null],
  "another preference beside it": ['respond-async, example="tom"; wait=5', 200, { id: 2, name: "Tom" }, "example=tom"],
};

test("Prefer chooses the answer, and Preference-Applied says what was chosen", async (t) => {
  const gateway = await specGateway(t, withoutUpstream);
  for (const [name, [prefer, status, value, applied]] of Object.entries(PREFERENCES)) {
    const answer = await gateway.send("GET", "/pets/1", { headers: { prefer } });
    assert.equal(answer.status, status, name);
    assert.deepEqual(answer.json, value, name);
    assert.equal(answer.headers.get("preference-applied"), applied, name);
  }
});

test("a dynamic answer is made up, valid against its schema and different each time", async (t) => {
  const gateway = await specGateway(t, {
    ...withoutUpstream,
    route: { mock: true, validate: { response: "enforce" } },
  });
  const answers = new Set<string>();
  for (let i = 0; i < 5; i++) {
    const { status, text, headers } = await gateway.send("GET", "/pets/1", { headers: { prefer: "dynamic=true" } });
    assert.equal(status, 200, text);
    assert.equal(headers.get("preference-applied"), "dynamic=true");
    answers.add(text);
  }
  assert.ok(answers.size > 1);
  assert.equal(
    (await gateway.send("PUT", "/pets/1")).text,
    (await gateway.send("PUT", "/pets/1")).text,
    "else the same",
  );
  const xml = await gateway.send("PUT", "/pets/1", { headers: { accept: "application/xml" } });
  assert.match(xml.text, /^<\?xml.*<pet><id>\d+<\/id>/);
});

test("a route with a service is mocked only where it allows it and the request asks", async (t) => {
  for (const [mock, reached] of [
    [true, 1],
    [false, 2],
    [undefined, 2],
  ] as const) {
    const gateway = await specGateway(t, { document, route: mock === undefined ? {} : { mock } });
    await gateway.send("GET", "/pets/1");
    await gateway.send("GET", "/pets/1", { headers: { prefer: "example=tom" } });
    assert.equal(gateway.received.length, reached);
  }
});

test("a sample of a pattern matches it", () => {
  for (const source of [
    "^[a-z]{2,5}-\\d+$",
    "^(foo|bar)+\\.x?$",
    "^[^a-z]{3}$",
    "^\\w+@\\w+\\.(com|org)$",
    "^#[0-9a-fA-F]{6}$",
    "^\\u0041\\x42\\.$",
  ]) {
    for (let i = 1; i < 30; i++)
      assert.match(
        samplePattern(source, () => ((i * 7) % 30) / 30),
        new RegExp(source),
      );
  }
});

test("what cannot be made up is left out where nobody asks for it, and one child of a discriminator is made", () => {
  const reference = (name: string): object => ({ $ref: `#/components/schemas/${name}` });
  const child = (member: string): object => ({
    allOf: [reference("Base"), { required: [member], properties: { [member]: { type: "integer" } } }],
  });
  const api = {
    openapi: "3.0.3",
    info: { title: "t", version: "1" },
    paths: {
      "/a": { get: { responses: { 200: { content: { "application/json": { schema: reference("Hard") } } } } } },
      "/b": { get: { responses: { 200: { content: { "application/json": { schema: reference("Base") } } } } } },
    },
    components: {
      schemas: {
        Hard: {
          type: "object",
          required: ["id"],
          properties: { id: { type: "integer" }, never: { type: "string", minLength: 5, maxLength: 1 } },
        },
        Base: {
          type: "object",
          required: ["kind"],
          properties: { kind: { enum: ["One", "Two", "Three", "Four"] } },
          discriminator: { propertyName: "kind" },
        },
        One: child("one"),
        Two: child("two"),
        Three: child("three"),
        Four: child("four"),
      },
    },
  };
  for (const { responses, spec, path } of toSpec(api, "api.json", undefined).operations) {
    const check = schemaCheck(spec, responses.get("200")?.content[0]?.schema ?? false, "response");
    for (let seed = 0; seed < 20; seed++) assert.notEqual(findSample(check, seed, false), undefined, `${path} ${seed}`);
  }
});

test("where nothing valid can be made up the answer says so, and names the schema", async (t) => {
  const impossible = { type: "string", minLength: 5, maxLength: 1 };
  const answer = (content: object): object => ({ get: { responses: { 200: { description: "ok", ...content } } } });
  const schema = { $ref: "#/components/schemas/Never" };
  const json = (media: object): object => ({ content: { "application/json": media } });
  const paths = {
    "/body": answer(json({ schema })),
    "/refused": answer(json({ schema: false })),
    "/header": answer({ headers: { "X-Never": { required: true, schema: impossible } } }),
    "/null": answer(json({ schema: { type: "null" } })),
    "/example": answer(json({ schema, example: "anything" })),
  };
  const api = { ...document, paths, components: { schemas: { Never: impossible } } };
  const gateway = await specGateway(t, { ...withoutUpstream, document: api });
  for (const [path, said] of [
    ["/body", /application\/json \(#\/components\/schemas\/Never\) in GET \/body/],
    ["/refused", /application\/json in GET \/refused/],
    ["/header", /the header X-Never in GET \/header/],
  ] as const) {
    const { status, json: problem } = await gateway.send("GET", path);
    assert.deepEqual([status, problem.code], [501, "MOCK_IMPOSSIBLE"], path);
    assert.match(problem.detail, said);
  }
  assert.equal((await gateway.send("GET", "/null")).text, "null");
  assert.equal((await gateway.send("GET", "/example")).json, "anything");
});

test("nearly every answer of GitHub's description can be made up so that it is valid", () => {
  const api = JSON.parse(readFileSync("node_modules/@octokit/openapi/generated/api.github.com.json", "utf8"));
  const { operations } = toSpec(api, "github.json", undefined);
  let made = 0;
  let all = 0;
  for (const { responses, spec } of operations.filter((_: Operation, i: number) => i % 10 === 0)) {
    const schema = responses.get("200")?.content[0]?.schema;
    if (schema === undefined) continue;
    all++;
    if (findSample(schemaCheck(spec, schema, "response"), 1, false) !== undefined) made++;
  }
  assert.ok(made / all > 0.95, `${made} of ${all}`);
});

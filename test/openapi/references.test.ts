import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { checkConfig } from "../../src/gateway/check-config.ts";
import { SpecError } from "../../src/openapi/spec-error.ts";
import { bodyCheck, documentOf, specOf } from "../support/spec-files.ts";

/** What a gateway says of a project whose one spec has this reference. */
async function problemsOf(t: TestContext, reference: string, route: object = {}): Promise<string> {
  const outer = await mkdtemp(join(tmpdir(), "portico-project-"));
  t.after(() => rm(outer, { recursive: true, force: true }));
  const error = { type: "object", required: ["code"] };
  const files: Record<string, object> = {
    "project/openapi/store/spec/store.json": documentOf({ $ref: reference }),
    "project/openapi/store/common/Error.json": error,
    "project/openapi/.hidden/Error.json": error,
    "project/secrets.json": error,
    "outside/Error.json": error,
    "project/portico.yaml": {},
    "project/routes/store.yaml": {
      openapi: "../openapi/store/spec/store.json",
      upstream: { targets: [{ url: "http://127.0.0.1:9" }] },
      ...route,
    },
  };
  for (const [name, value] of Object.entries(files)) {
    await mkdir(dirname(join(outer, name)), { recursive: true });
    await writeFile(join(outer, name), JSON.stringify(value));
  }
  await symlink("../../../outside", join(outer, "project/openapi/store/linked"));
  await symlink("../common", join(outer, "project/openapi/store/spec/near"));
  const { problems } = await checkConfig({ file: join(outer, "project/portico.yaml") });
  return problems.map(({ message, line }) => `${line}: ${message}`).join("\n");
}

for (const reference of ["../common/Error.json", "../../store/common/Error.json", "near/Error.json"]) {
  test(`${reference} inside the project is read`, async (t) => {
    assert.equal(await problemsOf(t, reference), "");
  });
}

const OUTSIDE = [
  "../../../../outside/Error.json",
  "../linked/Error.json",
  "../../../secrets.json",
  "../../.hidden/Error.json",
  "../../../portico.yaml",
];
for (const reference of OUTSIDE) {
  test(`${reference} leaves the folders that a spec may read`, async (t) => {
    assert.match(await problemsOf(t, reference), /^1: \$ref ".*" leaves the folder of the spec/);
  });
}

test("a route may name a folder outside the project for its references", async (t) => {
  const references = "../../outside";
  assert.equal(await problemsOf(t, "../../../../outside/Error.json", { references }), "");
  assert.match(await problemsOf(t, "../../../secrets.json", { references }), /leaves the folder/);
});

test("a reference may stand in place of anything: an operation, its parameters, a mapping of names, a text", async (t) => {
  const spec = await specOf(t, {
    "a.yaml": {
      openapi: "3.0.0",
      info: { title: "t", version: "1", description: { $ref: "about.md" } },
      paths: { "/pets/{id}": { get: { $ref: "operations/get.yaml", summary: "here" } } },
      components: { $ref: "components.yaml" },
    },
    "about.md": "# About: this\n- is no YAML: [",
    "operations/get.yaml": {
      summary: "there",
      parameters: { $ref: "../lists.yaml#/shared" },
      responses: { $ref: "../lists.yaml#/responses" },
      requestBody: { content: { "application/json": { schema: { $ref: "../a.yaml#/components/schemas/Pet" } } } },
    },
    "lists.yaml": {
      shared: [{ name: "id", in: "path", required: true, schema: { type: "integer" } }],
      responses: { 200: { description: "ok" } },
    },
    "components.yaml": { schemas: { $ref: "schemas.yaml", Own: { type: "string" } } },
    "schemas.yaml": { Pet: { type: "object", required: ["name"], properties: { $ref: "properties.yaml" } } },
    "properties.yaml": { name: { type: "string" } },
  });
  const [operation] = spec.operations;
  assert.equal(operation?.summary, "here");
  assert.deepEqual(
    operation?.parameters.map(({ name, schema }) => [name, schema]),
    [["id", { type: "integer" }]],
  );
  assert.deepEqual([...(operation?.responses.keys() ?? [])], ["200"]);
  const isPet = bodyCheck(spec);
  assert.ok(isPet({ name: "Tom" }));
  assert.ok(!isPet({}) && !isPet({ name: 1 }));
  const { info, components } = spec.info.document as { info: { description: string }; components: { schemas: object } };
  assert.match(info.description, /^# About/);
  assert.deepEqual(Object.keys(components.schemas).sort(), ["Own", "Pet"]);
});

test("a pointer leads through what stands in its way by reference", async (t) => {
  const spec = await specOf(t, {
    "a.json": {
      openapi: "3.1.0",
      paths: {
        "/": { $ref: "b.json" },
        "/same": { post: { requestBody: { $ref: "#/paths/~1/post/requestBody" }, responses: {} } },
      },
    },
    "b.json": {
      post: { requestBody: { content: { "application/json": { schema: { type: "integer" } } } }, responses: {} },
    },
  });
  assert.ok(bodyCheck(spec, 1)(1));
  assert.ok(!bodyCheck(spec, 1)("one"));
});

test("pointers that lead through each other are refused, not followed without end", async (t) => {
  const schemas = { A: { $ref: "#/components/schemas/B/x" }, B: { $ref: "#/components/schemas/A/x" } };
  await assert.rejects(specOf(t, { "a.json": documentOf({ $ref: "#/components/schemas/A" }, schemas) }), SpecError);
});

test("a document is found by the name that it gives itself, also where all of it stands on one line", async (t) => {
  const info = { title: "t", version: "1" };
  const spec = await specOf(t, {
    "api.json": {
      openapi: "3.2.0",
      $self: "https://me.example/api",
      info,
      paths: { "/b": { $ref: "https://me.example/other#/components/pathItems/P" } },
    },
    "other.json": {
      openapi: "3.2.0",
      $self: "https://me.example/other",
      info,
      components: { pathItems: { P: { get: { operationId: "there", responses: {} } } } },
    },
  });
  assert.deepEqual(
    spec.operations.map(({ id }) => id),
    ["there"],
  );
});

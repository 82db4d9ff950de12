import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { checkConfig } from "../../src/gateway/check-config.ts";
import { documentOf } from "../support/spec-files.ts";

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

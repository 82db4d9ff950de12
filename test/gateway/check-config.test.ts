import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { checkConfig } from "../../src/gateway/check-config.ts";

const folderWith = (files: Readonly<Record<string, string>>): string => {
  const folder = mkdtempSync(join(tmpdir(), "portico-check-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
};
const SPEC = JSON.stringify({
  openapi: "3.1.0",
  info: { title: "Pets", version: "1" },
  paths: Object.fromEntries(["/a", "/b", "/c"].map((path) => [path, { get: { responses: { 200: {} } } }])),
});

test("an example that its own schema refuses is a warning, with its place", async () => {
  const folder = folderWith({
    "spec.yaml": `openapi: 3.0.3
info: { title: Pets, version: "1" }
paths:
  /a:
    get: { responses: { "200": { $ref: "#/components/responses/Pet" } } }
  /b:
    put:
      requestBody:
        content:
          application/json:
            schema: { $ref: "#/components/schemas/Pet" }
            example: { id: 1, name: Rex }
          application/xml: { schema: { $ref: "#/components/schemas/Pet" }, example: <pet/> }
      responses: { "200": { $ref: "#/components/responses/Pet" } }
components:
  schemas:
    Pet:
      type: object
      required: [id, name]
      properties: { id: { type: integer, readOnly: true }, name: { type: string } }
  responses:
    Pet:
      description: ok
      content:
        application/json:
          schema: { $ref: "#/components/schemas/Pet" }
          examples:
            good: { value: { id: 1, name: Rex } }
            bad:
              value: { id: one, name: Rex }
        application/hal+json: { schema: { $ref: "#/components/schemas/Pet" }, example: text }
`,
  });
  try {
    const routes = [{ openapi: "spec.yaml", mock: true }];
    const { warnings, problems } = await checkConfig({ folder, options: {}, routes });
    assert.deepEqual(problems, []);
    const told = warnings.map(({ file, line, message }) => `${basename(file)}:${line} ${message.split(";")[0]}`).sort();
    assert.deepEqual(told, [
      "spec.yaml:12 the example does not fit its schema: /id is read-only: leave it out of a request",
      "spec.yaml:30 the example does not fit its schema: /id must be a whole number, not a string",
      "spec.yaml:31 the example does not fit its schema: it must be an object, not a string",
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("one wrong key hides nothing of the others, and what is wrong for every operation is told once", async () => {
  const folder = folderWith({
    "portico.yaml": "routes: .\nlisten: { prot: 1 }\nplugins: [nope]\n",
    "pets.json": JSON.stringify({ openapi: "spec.json5", upstream: { from: "registry", service: "pets" } }),
    "spec.json5": SPEC,
  });
  try {
    const { problems } = await checkConfig({ file: join(folder, "portico.yaml") });
    const told = problems.filter(({ file }) => basename(file) !== "portico.yaml" || !file.endsWith(".yaml"));
    const own = problems.filter(({ file }) => basename(file) === "portico.yaml");
    assert.match(own.map(({ message }) => message).join("\n"), /listen\.prot is not a key[\s\S]*plugin nope cannot be/);
    assert.equal(told.filter(({ message }) => message.includes("known sources")).length, 1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

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

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { consumers } from "../../src/cli/consumers.ts";
import { createGateway } from "../../src/index.ts";
import { folderWith, portico } from "../support/cli.ts";

const SPEC = JSON.stringify({
  openapi: "3.1.0",
  info: { title: "Pets", version: "1" },
  paths: { "/pets": { get: { security: [{ key: [] }], responses: { 200: { description: "ok" } } } } },
  components: { securitySchemes: { key: { type: "apiKey", in: "header", name: "X-Key" } } },
});

test("consumers and their keys are made, listed, rotated, expired, revoked and removed by command", async (t) => {
  const folder = await folderWith(t, {
    "pets.json": SPEC,
    "routes/pets.yaml":
      "openapi: ../pets.json\nsecurity: { key: { api-key: {} } }\nplugins: [{ respond: { body: ok } }]\nupstream: { targets: [{ url: http://127.0.0.1:1 }] }\n",
    "portico.yaml": "listen: { port: 0 }\nadmin: { port: 0, consumers: data/consumers, token: of-the-operator }\n",
  });
  const gateway = await createGateway({ file: join(folder, "portico.yaml") });
  t.after(() => gateway.close());
  const url = await gateway.listen();
  const status = async (key: string): Promise<number> =>
    (await fetch(`${url}/pets`, { headers: { "X-Key": key } })).status;
  const run = async (...words: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> =>
    portico("consumers", ...words, "--config", join(folder, "portico.yaml"), "--url", String(gateway.adminUrl))
      .finished;
  const made = async (...words: string[]): Promise<[id: string, key: string]> => {
    const { code, stdout, stderr } = await run(...words);
    assert.equal(code, 0, stderr);
    return stdout.trim().split(" ") as [string, string];
  };

  assert.equal((await run("add", "ada", "--group", "staff", "--quota", "1000/day")).code, 0);
  const [id, key] = await made("key", "ada", "--scope", "pets:read", "--expires", "2099-01-01");
  assert.equal(await status(key), 200);
  const listed = (await run("list")).stdout;
  assert.match(
    listed,
    new RegExp(`^ada {2}staff\n {2}${id} {2}api-key {2}pets:read {2}expires 2099-01-01T00:00:00.000Z\n$`),
  );
  assert.ok(!listed.includes(key));
  const [newId, newKey] = await made("rotate", "ada", id, "--grace", "3600");
  assert.deepEqual([await status(key), await status(newKey)], [200, 200]);
  assert.equal((await run("expire", "ada", id, "--expires", "2020-01-01")).code, 0);
  assert.deepEqual([await status(key), await status(newKey)], [401, 200]);
  assert.equal((await run("revoke", "ada", newId)).code, 0);
  assert.equal(await status(newKey), 401);
  assert.equal((await run("remove", "ada")).code, 0);
  assert.deepEqual(JSON.parse((await run("list", "--json")).stdout), []);

  const nobody = await run("remove", "ada");
  assert.deepEqual([nobody.code, /^refused \(404\)/.test(nobody.stderr)], [1, true]);
});

test("words that make no request are answered with what can be written", async () => {
  for (const words of [
    ["list", "x"],
    ["add"],
    ["add", "ada", "--quota", "5"],
    ["add", "ada", "more"],
    ["key"],
    ["key", "ada", "--expires", "some day"],
    ["expire", "ada", "1"],
    ["rotate", "ada", "1", "--grace=-1"],
    ["revoke", "ada"],
    ["fly"],
    [],
  ]) {
    assert.equal(await consumers(words), 2, words.join(" "));
  }
});

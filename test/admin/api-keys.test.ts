import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createGateway } from "../../src/index.ts";
import { folderWith, portico } from "../support/cli.ts";
import { listen } from "../support/plugin-gateway.ts";

const SPEC = `openapi: 3.1.0
info: { title: Pets, version: "1" }
paths: { /pets: { get: { operationId: findPets, security: [{ key: [pets] }], responses: { "200": { description: ok } } } } }
components: { securitySchemes: { key: { type: apiKey, in: header, name: X-Key } } }
`;

async function start(t: TestContext) {
  const service = createServer((_request, response) => response.end("ok"));
  const target = await listen(service);
  t.after(() => service.close());
  const folder = await folderWith(t, {
    "portico.yaml": "listen: { port: 0 }\nadmin: { port: 0, token: right, apiKeys: data/keys.json }\n",
    "pets.yaml": SPEC,
    "routes/pets.yaml": `openapi: ../pets.yaml\ncache: { mode: "off" }\nupstream: { targets: [{ url: "${target}" }] }\nsecurity: { key: { api-key: { store: ../data/keys.json } } }\n`,
  });
  const gateway = await createGateway({ file: join(folder, "portico.yaml") });
  const url = await gateway.listen();
  t.after(() => gateway.close());
  const admin = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${gateway.adminUrl}/v1/api-keys${path}`, {
      method,
      headers: { Authorization: "Bearer right", "Content-Type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: (text === "" ? {} : JSON.parse(text)) as { id: string; key: string } };
  };
  const ask = async (key: string): Promise<number> =>
    (await fetch(`${url}/pets`, { headers: { "X-Key": key } })).status;
  const becomes = async (key: string, status: number): Promise<void> => {
    const deadline = Date.now() + 20_000;
    while ((await ask(key)) !== status) {
      assert.ok(Date.now() < deadline, `${key} does not become ${status}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  return { admin, ask, becomes, file: join(folder, "data/keys.json") };
}

test("a key is made, rotated with grace, ended and revoked by the admin API, and only its digest is kept", async (t) => {
  const { admin, ask, becomes, file } = await start(t);
  assert.equal(await ask("pk_unknown"), 401);
  const made = await admin("POST", "", { consumer: "ada", scopes: ["pets"] });
  assert.equal(made.status, 201);
  await becomes(made.body.key, 200);
  assert.ok(!(await readFile(file, "utf8")).includes(made.body.key));
  const rotated = await admin("POST", `/${made.body.id}/rotate`, { graceSeconds: 3600 });
  await becomes(rotated.body.key, 200);
  assert.equal(await ask(made.body.key), 200, "the old one has its time of grace");
  assert.equal((await admin("PATCH", `/${made.body.id}`, { expiresAt: "2020-01-01T00:00:00Z" })).status, 204);
  await becomes(made.body.key, 401);
  assert.equal((await admin("DELETE", `/${rotated.body.id}`)).status, 204);
  await becomes(rotated.body.key, 401);
  assert.doesNotMatch(JSON.stringify((await admin("GET", "")).body), /digest|pk_/);
});

test("a key without the scope is refused as such, and nonsense is not kept", async (t) => {
  const { admin, becomes } = await start(t);
  const poor = await admin("POST", "", { consumer: "bob" });
  await becomes(poor.body.key, 403);
  for (const body of [{}, { consumer: 1 }, { consumer: "a", scopes: "x" }, { consumer: "a", expiresAt: "soon" }]) {
    assert.equal((await admin("POST", "", body)).status, 400, JSON.stringify(body));
  }
  assert.equal((await admin("DELETE", "/nobody")).status, 404);
  assert.equal((await admin("POST", "/nobody/rotate", {})).status, 404);
});

test("keys made by the command count too, and a file that cannot be read admits nobody", async (t) => {
  const { ask, becomes, file } = await start(t);
  const made = await portico("api-key", "create", "--store", file, "--consumer", "ada", "--scope", "pets").finished;
  const [id = "", key = ""] = made.stdout.trim().split(" ");
  await becomes(key, 200);
  assert.match((await portico("api-key", "list", "--store", file).finished).stdout, new RegExp(`^${id}  ada  pets`));
  assert.equal((await portico("api-key", "revoke", "nobody", "--store", file).finished).code, 1);
  await writeFile(file, "{");
  await becomes(key, 500);
  assert.equal(await ask("other"), 500);
});

test("many keys made at once are all kept", async (t) => {
  const { admin } = await start(t);
  const made = await Promise.all(Array.from({ length: 20 }, (_, i) => admin("POST", "", { consumer: `c${i}` })));
  assert.deepEqual([...new Set(made.map(({ status }) => status))], [201]);
  assert.equal(((await admin("GET", "")).body as unknown as unknown[]).length, 20);
});

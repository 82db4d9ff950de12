import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createGateway } from "../../src/index.ts";
import { folderWith } from "../support/cli.ts";

const SPEC = (path: string) => `openapi: 3.1.0
info: { title: Pets, version: "1" }
paths: { ${path}: { get: { operationId: findPets, responses: { "200": { description: ok } } } } }
`;
const ROUTE = 'openapi: ../pets.yaml\nupstream: { targets: [{ url: "http://127.0.0.1:1" }] }\n';
const withToken = { headers: { Authorization: "Bearer right" } };

async function startAdmin(t: TestContext, admin = "{ port: 0, token: right }") {
  const files = {
    "portico.yaml": `listen: { port: 0 }\nadmin: ${admin}\n`,
    "pets.yaml": SPEC("/pets"),
    "routes/pets.yaml": ROUTE,
  };
  const folder = await folderWith(t, files);
  const gateway = await createGateway({ file: join(folder, "portico.yaml") });
  const url = await gateway.listen();
  t.after(() => gateway.close());
  return { url, admin: String(gateway.adminUrl), folder };
}

test("health and metrics need no token, all else does", async (t) => {
  const { admin } = await startAdmin(t);
  for (const path of ["/health/live", "/health/ready", "/metrics"])
    assert.equal((await fetch(admin + path)).status, 200, path);
  for (const headers of [{}, { Authorization: "Bearer wrong" }, { Authorization: "Basic right" }]) {
    const refused = await fetch(`${admin}/v1/routes`, { headers });
    assert.equal(refused.status, 401);
    assert.equal(refused.headers.get("www-authenticate"), "Bearer");
  }
  assert.equal((await fetch(`${admin}/v1/routes`, withToken)).status, 200);
});

test("without a token in the configuration nothing but health and metrics is answered", async (t) => {
  const { admin } = await startAdmin(t, "{ port: 0 }");
  assert.equal((await fetch(`${admin}/v1/routes`, withToken)).status, 403);
  assert.equal((await fetch(`${admin}/health/live`)).status, 200);
});

test("the routes tell each operation's stack", async (t) => {
  const { admin } = await startAdmin(t);
  const [route] = (await (await fetch(`${admin}/v1/routes`, withToken)).json()) as {
    path: string;
    stack: { name: string }[];
  }[];
  assert.equal(route?.path, "/pets");
  assert.ok(route.stack.some(({ name }) => name === "validate-request"));
});

test("a reload swaps in what is right, and refuses what is wrong while the old goes on", async (t) => {
  const { url, admin, folder } = await startAdmin(t);
  const reload = () => fetch(`${admin}/v1/reload`, { method: "POST", ...withToken });
  await writeFile(join(folder, "pets.yaml"), SPEC("/cats"));
  assert.equal((await reload()).status, 200);
  assert.equal((await fetch(`${url}/pets`)).status, 404);
  await writeFile(join(folder, "routes/pets.yaml"), "openapi: ../pets.yaml\nupstrem: 1\n");
  const refused = await reload();
  assert.equal(refused.status, 422);
  const { problems } = (await refused.json()) as { problems: { message: string }[] };
  assert.match(problems[0]?.message ?? "", /upstrem is not a key/);
  assert.notEqual((await fetch(`${url}/cats`)).status, 404);
});

test("a page of another site cannot use the admin API under a name of its own", async (t) => {
  const { admin } = await startAdmin(t);
  const status = await new Promise((resolve, reject) => {
    const headers = { Host: "evil.example", Origin: "http://evil.example", Authorization: "Bearer right" };
    request(`${admin}/v1/routes`, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });
  assert.equal(status, 403);
});

test("metrics count requests by operation and status, and what matches nothing together", async (t) => {
  const { url, admin } = await startAdmin(t);
  for (const path of ["/pets", "/pets", "/a", "/b"]) await (await fetch(url + path)).arrayBuffer();
  const text = await (await fetch(`${admin}/metrics`)).text();
  assert.match(text, /portico_requests_total\{operation="GET \/pets",status="502"\} 2/);
  assert.match(text, /portico_requests_total\{operation="none",status="404"\} 2/);
  assert.match(text, /portico_request_seconds_count\{operation="GET \/pets"\} 2/);
});

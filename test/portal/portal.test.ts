import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createGateway } from "../../src/index.ts";
import { folderWith } from "../support/cli.ts";

async function startPortal(
  t: TestContext,
  options: Record<string, unknown> = {},
  openapi = "openapi/petstore.yaml",
): Promise<string> {
  const gateway = await createGateway({
    options: { listen: { port: 0 }, ...options },
    routes: [
      {
        openapi,
        prefix: "/shop",
        security: "upstream",
        upstream: { targets: [{ url: "http://127.0.0.1:1" }] },
      },
    ],
  });
  t.after(() => gateway.close());
  return gateway.listen();
}

test("the page and all that it loads come from this gateway, under a policy that runs no script of a document", async (t) => {
  const url = await startPortal(t);
  const page = await fetch(`${url}/portal`);
  assert.match(page.headers.get("content-security-policy") ?? "", /script-src 'self'/);
  const html = await page.text();
  for (const [, path] of html.matchAll(/(?:src|href)="([^"]+)"/g)) {
    assert.equal((await fetch(url + path)).status, 200, path);
  }
});

test("each document names the gateway as its server, with the public prefix", async (t) => {
  const url = await startPortal(t);
  const { servers } = (await (await fetch(`${url}/portal/apis/0.json`)).json()) as { servers: unknown };
  assert.deepEqual(servers, [{ url: "/shop" }]);
});

test("paths outside its list of assets are not found", async (t) => {
  const url = await startPortal(t);
  for (const path of [
    "/portal/assets/package.json",
    "/portal/assets/..%2fpackage.json",
    "/portal/apis/9.json",
    "/portal/x",
  ]) {
    const { status } = await fetch(url + path);
    assert.ok(status === 404 || status === 400, `${path} ${status}`);
  }
});

test("it moves with portal.path, and is gone with portal: false", async (t) => {
  const moved = await startPortal(t, { portal: { path: "/docs" } });
  assert.equal((await fetch(`${moved}/docs`)).status, 200);
  assert.equal((await fetch(`${moved}/portal`)).status, 404);
  const none = await startPortal(t, { portal: false });
  assert.equal((await fetch(`${none}/portal`)).status, 404);
});

test("each operation is a document of its own, with all that it refers to and nothing else", async (t) => {
  const url = await startPortal(t);
  const rows = (await (await fetch(`${url}/portal/apis/0.json/operations`)).json()) as {
    method: string;
    path: string;
    index: number;
  }[];
  const { index } = rows.find(({ method, path }) => method === "POST" && path === "/pets") ?? { index: -1 };
  const excerpt = (await (await fetch(`${url}/portal/apis/0.json/operations/${index}`)).json()) as {
    paths: Record<string, Record<string, unknown>>;
    servers: unknown;
    components: Record<string, Record<string, unknown>>;
  };
  assert.deepEqual(Object.keys(excerpt.paths), ["/pets"]);
  assert.deepEqual(excerpt.servers, [{ url: "/shop" }]);
  assert.deepEqual(Object.keys(excerpt.paths["/pets"] ?? {}), ["post"]);
  for (const [, kind = "", name = ""] of JSON.stringify(excerpt).matchAll(/"#\/components\/(\w+)\/([^"/]+)"/g)) {
    assert.ok(excerpt.components[kind]?.[name], `${kind}/${name}`);
  }
  assert.equal((await fetch(`${url}/portal/apis/0.json/operations/99`)).status, 404);
});

test("the page may ask the token servers that the specs name, and no others", async (t) => {
  const flows = {
    clientCredentials: { tokenUrl: "https://id.example/token", scopes: {} },
    password: { tokenUrl: "javascript:alert(1); script-src *", scopes: {} },
  };
  const folder = await folderWith(t, {
    "api.json": JSON.stringify({
      openapi: "3.0.3",
      info: { title: "t", version: "1" },
      paths: { "/a": { get: { security: [{ o: [] }], responses: {} } } },
      components: { securitySchemes: { o: { type: "oauth2", flows } } },
    }),
  });
  const url = await startPortal(t, {}, join(folder, "api.json"));
  const policy = (await fetch(`${url}/portal`)).headers.get("content-security-policy") ?? "";
  assert.match(policy, /connect-src 'self' https:\/\/id\.example; base-uri/);
  assert.equal((await fetch(`${url}/portal/assets/oauth2-redirect.html`)).status, 200);
});

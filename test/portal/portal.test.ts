import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createGateway } from "../../src/index.ts";

async function startPortal(t: TestContext, options: Record<string, unknown> = {}): Promise<string> {
  const gateway = await createGateway({
    options: { listen: { port: 0 }, ...options },
    routes: [
      {
        openapi: "openapi/petstore.yaml",
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

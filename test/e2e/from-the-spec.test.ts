import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createGateway } from "../../src/index.ts";

const document = (title: string, path: string, more: object = {}): object => ({
  openapi: "3.0.3",
  info: { title, version: "1" },
  servers: [{ url: "https://api.example.com/v1" }],
  paths: {
    [path]: { get: { operationId: "find", responses: { 200: { $ref: "#/components/responses/Fine" } }, ...more } },
  },
  components: { responses: { Fine: { description: title } }, schemas: { Thing: { type: "string", nullable: true } } },
});

/** A gateway of two specs, each with its own prefix, before a service that answers with the path that it saw. */
async function startGateway(t: TestContext): Promise<string> {
  const service = createServer((request, response) => response.end(request.url));
  await new Promise<void>((done) => service.listen(0, "127.0.0.1", done));
  const upstream = { targets: [{ url: `http://127.0.0.1:${(service.address() as AddressInfo).port}` }] };
  const folder = await mkdtemp(join(tmpdir(), "portico-"));
  const deprecated = { deprecated: true, "x-deprecated-at": "2026-01-01", "x-sunset": "2027-01-01" };
  await writeFile(join(folder, "a.json"), JSON.stringify(document("Alpha", "/a/{id}", deprecated)));
  await writeFile(join(folder, "b.json"), JSON.stringify(document("Beta", "/b", { deprecated: true })));
  const gateway = await createGateway({
    folder,
    options: {},
    port: 0,
    routes: [
      { openapi: "a.json", upstream },
      { openapi: "b.json", upstream, prefix: "/größe" },
    ],
  });
  const url = await gateway.listen();
  t.after(async () => {
    await gateway.close();
    service.closeAllConnections();
    service.close();
    await rm(folder, { recursive: true, force: true });
  });
  return url;
}

test("a deprecated operation says since when, and when it ends", async (t) => {
  const url = await startGateway(t);
  const dated = await fetch(`${url}/v1/a/1`);
  assert.equal(dated.headers.get("deprecation"), "@1767225600");
  assert.equal(dated.headers.get("sunset"), "Fri, 01 Jan 2027 00:00:00 GMT");
  const undated = await fetch(`${url}/gr%C3%B6%C3%9Fe/b`);
  assert.match(String(undated.headers.get("deprecation")), /^@\d{10}$/);
});

test("the upstream sees the path of the first server, and does not see a prefix that the route wrote", async (t) => {
  const url = await startGateway(t);
  assert.equal(await (await fetch(`${url}/v1/a/x%2Fy`)).text(), "/v1/a/x%2Fy");
  assert.equal(await (await fetch(`${url}/gr%c3%b6%c3%9fe/b?q=1`)).text(), "/b?q=1");
});

test("everything behind the gateway is one OpenAPI document", async (t) => {
  const url = await startGateway(t);
  const response = await fetch(`${url}/.well-known/openapi.json`);
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into the document
  const merged: any = await response.json();
  assert.equal(response.headers.get("content-type"), "application/openapi+json");
  assert.deepEqual(Object.keys(merged.paths), ["/v1/a/{id}", "/größe/b"]);
  assert.deepEqual(Object.keys(merged.components.responses), ["Fine", "Beta.Fine"]);
  assert.deepEqual(merged.paths["/größe/b"].get.responses["200"], { $ref: "#/components/responses/Beta.Fine" });
  assert.equal(merged.paths["/größe/b"].get.operationId, "Beta.find");
  assert.deepEqual(merged.components.schemas.Thing.type, ["string", "null"]);
});

test("the catalog of APIs names each of them (RFC 9727)", async (t) => {
  const url = await startGateway(t);
  const response = await fetch(`${url}/.well-known/api-catalog`);
  const { linkset } = (await response.json()) as { linkset: { anchor: string; "service-desc": { href: string }[] }[] };
  assert.match(String(response.headers.get("content-type")), /^application\/linkset\+json; profile=/);
  assert.deepEqual(
    linkset.map(({ anchor }) => anchor),
    [`${url}/v1`, `${url}/gr%C3%B6%C3%9Fe`],
  );
  assert.equal(linkset[0]?.["service-desc"][0]?.href, `${url}/.well-known/openapi.json`);
});

test("two routes that the same requests match are refused, with both places", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "portico-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "a.json"), JSON.stringify(document("Alpha", "/a/{id}")));
  await writeFile(join(folder, "b.json"), JSON.stringify(document("Beta", "/a/{name}")));
  const upstream = { targets: [{ url: "http://127.0.0.1:1" }] };
  const routes = [
    { openapi: "a.json", upstream },
    { openapi: "b.json", upstream },
  ];
  await assert.rejects(createGateway({ folder, options: {}, port: 0, routes }), (error: Error) => {
    assert.match(
      error.message,
      /b\.json:1:\d+ GET \/v1\/a\/\{name\} matches the same requests as \/v1\/a\/\{id\} at .*a\.json:1:\d+/,
    );
    return true;
  });
});

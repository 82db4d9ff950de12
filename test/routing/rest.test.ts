import assert from "node:assert/strict";
import { test } from "node:test";
import { projectGateway } from "../support/project-gateway.ts";
import { routerOf, show } from "../support/routed.ts";

// `{+name}` is no template of OpenAPI, but what documents made from Google's discovery format and from API Gateway have.

const ROUTES = {
  "GET /v1/{+name}": {},
  "GET /v1/{+name}/operations": {},
  "GET /v1/{+name}:undelete": {},
  "GET /v1/{id}": {},
  "GET /v1/fixed/{x}": {},
  "GET /proxy/{proxy+}": {},
  "GET /files/{path*}": {},
  "GET /blobs/{*path}": {},
  "GET /list{?page,limit}": {},
};
const MATCHES: [path: string, shown: string][] = [
  ["/v1/a", 'GET /v1/{id} {"id":"a"}'],
  ["/v1/a/b", 'GET /v1/{+name} {"name":"a/b"}'],
  ["/v1/a/b/operations", 'GET /v1/{+name}/operations {"name":"a/b"}'],
  ["/v1/a/operations/operations", 'GET /v1/{+name}/operations {"name":"a/operations"}'],
  ["/v1/a/b:undelete", 'GET /v1/{+name}:undelete {"name":"a/b"}'],
  ["/v1/fixed/1", 'GET /v1/fixed/{x} {"x":"1"}'],
  ["/v1/fixed/1/2", 'GET /v1/{+name} {"name":"fixed/1/2"}'],
  ["/proxy/a/b%2Fc/%C3%BC", 'GET /proxy/{proxy+} {"proxy":"a/b/c/ü"}'],
  ["/proxy/a/", 'GET /proxy/{proxy+} {"proxy":"a/"}'],
  ["/proxy/", "path-unknown"],
  ["/files/a/b", 'GET /files/{path*} {"path":"a/b"}'],
  ["/blobs/a/b", 'GET /blobs/{*path} {"path":"a/b"}'],
  ["/list", "GET /list{?page,limit} {}"],
];

for (const [path, shown] of MATCHES) {
  test(`of templates that may hold slashes, ${path} is ${shown}`, () => {
    assert.equal(show(routerOf(ROUTES).router.match("", "GET", path)), shown);
  });
}

test("a path of thousands of segments is matched at once", () => {
  const { router } = routerOf({ "GET /a/{+x}/end": {}, "GET /b/{+x}/{y}/{+z}/end": {} });
  const started = process.cpuUsage().user;
  for (const start of ["/a", "/b"])
    assert.equal(show(router.match("", "GET", start + "/s".repeat(2000))), "path-unknown");
  assert.ok(process.cpuUsage().user - started < 5_000_000);
});

test("a parameter that may hold slashes is validated, and reaches the service as it was sent", async (t) => {
  const parameters = [
    { name: "name", in: "path", required: true, schema: { type: "string", pattern: "^projects/[^/]+/topics/[^/]+$" } },
    { name: "n", in: "path", required: true, schema: { type: "integer" } },
  ];
  const paths = { "/v1/{+name}/x/{n}": { get: { parameters, responses: { 200: { description: "ok" } } } } };
  const files = { "s.json": { openapi: "3.1.0", info: { title: "T", version: "1" }, paths } };
  const gateway = await projectGateway(t, { files });
  const good = "/v1/projects/a%20b/topics/c/x/5";
  assert.deepEqual(await gateway.send("GET", good).then(({ status, text }) => [status, text]), [200, good]);
  for (const bad of ["/v1/projects/a/x/5", "/v1/projects/a%20b/topics/c/x/y"]) {
    assert.equal((await gateway.send("GET", bad)).status, 400, bad);
  }
  assert.equal((await gateway.send("GET", "/v1/projects/../topics/c/x/5")).status, 400);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { toBasePaths } from "../../src/openapi/servers.ts";
import { projectGateway } from "../support/project-gateway.ts";

const ok = { responses: { 200: { description: "ok" } } };
const document = (paths: object, servers: object[], title = "T"): object => ({
  openapi: "3.1.0",
  info: { title, version: "1" },
  servers,
  paths,
});
const BASES: [name: string, servers: object[], bases: string[]][] = [
  ["none", [], [""]],
  ["one without a path", [{ url: "https://a.example" }], [""]],
  [
    "each value of a variable",
    [{ url: "/{v}", variables: { v: { default: "v2", enum: ["v1", "v2"] } } }],
    ["/v2", "/v1"],
  ],
  [
    "two variables",
    [{ url: "/{v}/{w}", variables: { v: { default: "a", enum: ["a", "b"] }, w: { default: "c", enum: ["d"] } } }],
    ["/a/c", "/b/c", "/a/d", "/b/d"],
  ],
  [
    "a variable of the host alone",
    [{ url: "https://{h}.x/v1", variables: { h: { default: "a", enum: ["a", "b"] } } }],
    ["/v1"],
  ],
  ["a variable without a value", [{ url: "https://x/{v}/y" }], ["/y"]],
  [
    "servers of one origin",
    [{ url: "https://x/v1" }, { url: "http://x/v2" }, { url: "https://x" }],
    ["/v1", "/v2", ""],
  ],
  ["a server elsewhere", [{ url: "https://x/v1" }, { url: "https://y/v2" }, { url: "/v3" }], ["/v1"]],
];

for (const [name, servers, bases] of BASES) {
  test(`the paths of servers: ${name}`, () => assert.deepEqual(toBasePaths(servers), bases));
}

test("a server with many values of many variables does not become as many paths", () => {
  const values = Array.from({ length: 50 }, (_, i) => `v${i}`);
  const variables = { a: { default: "v0", enum: values }, b: { default: "v0", enum: values } };
  assert.equal(toBasePaths([{ url: "/{a}/{b}", variables }]).length, 64);
});

test("a further path of a server yields to an operation that has no other", async (t) => {
  const files = {
    "both.json": document({ "/a": { get: ok } }, [{ url: "/v1" }, { url: "/v2" }]),
    "two.json": document({ "/a": { get: { ...ok, deprecated: true } }, "/b": { get: ok } }, [{ url: "/v2" }]),
  };
  const gateway = await projectGateway(t, { files, routes: [{ openapi: "both.json" }, { openapi: "two.json" }] });
  for (const path of ["/v1/a", "/v2/a", "/v2/b"]) assert.equal((await gateway.send("GET", path)).status, 200, path);
  assert.notEqual((await gateway.send("GET", "/v2/a")).headers.deprecation, undefined);
  assert.equal((await gateway.send("GET", "/v1/a")).headers.deprecation, undefined);
});

test("stripPrefix takes off the base that the request came by, however deep", async (t) => {
  const paths = {
    "/a/{id}": { get: { ...ok, parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }] } },
    "/f/{+p}": { get: ok },
  };
  const servers = [{ url: "/x" }, { url: "/x/y/z" }, { url: "/" }];
  const gateway = await projectGateway(t, {
    files: { "s.json": document(paths, servers) },
    routes: [{ stripPrefix: true }],
  });
  for (const base of ["/x", "/x/y/z", ""]) {
    assert.equal((await gateway.send("GET", `${base}/a/1%2F2`)).text, "/a/1%2F2");
    assert.equal((await gateway.send("GET", `${base}/f/1/2/3`)).text, "/f/1/2/3");
  }
});

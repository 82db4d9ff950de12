import assert from "node:assert/strict";
import { test } from "node:test";
import { projectGateway } from "../support/project-gateway.ts";
import { routerOf, show } from "../support/routed.ts";

// Servers merge `//` or do not (ATTACKS 21), so it is only taken where a document itself has it: then it is meant.

const ROUTES = {
  "GET /": {},
  "GET /wms": {},
  "GET /wms//": {},
  "GET //openapi": {},
  "GET /{a}//{b}": {},
  "GET /files/{+rest}": {},
  "GET /files/{+rest}//raw": {},
};
const MATCHES: [path: string, shown: string][] = [
  ["/wms//", "GET /wms// {}"],
  ["//openapi", "GET //openapi {}"],
  ["/x//y", 'GET /{a}//{b} {"a":"x","b":"y"}'],
  ["/files//y", 'GET /{a}//{b} {"a":"files","b":"y"}'],
  ["/files/x/", 'GET /files/{+rest} {"rest":"x/"}'],
  ["/files/x/y//raw", 'GET /files/{+rest}//raw {"rest":"x/y"}'],
  ["/wms/", "path-unknown"],
  ["//", "path-ambiguous"],
  ["//wms", "path-ambiguous"],
  ["///openapi", "path-ambiguous"],
  ["/wms///", "path-ambiguous"],
  ["/x///y", "path-ambiguous"],
  ["/x//", "path-ambiguous"],
  ["/files/x//y", "path-ambiguous"],
  ["/files/x//", "path-ambiguous"],
];

for (const [path, shown] of MATCHES) {
  test(`of templates with empty segments, ${path} is ${shown}`, () => {
    assert.equal(show(routerOf(ROUTES).router.match("", "GET", path)), shown);
  });
}

const responses = { 200: { description: "ok" } };
const document = {
  openapi: "3.1.0",
  info: { title: "T", version: "1" },
  paths: {
    "/wms/": { get: { responses } },
    "/wms//": { get: { operationId: "guarded", responses } },
    "//openapi": { get: { operationId: "socket", responses } },
  },
};

test("routing, plugins, cache and service see an empty segment alike, and every other one is refused", async (t) => {
  const keys = { "api-key": { header: "x-key", keys: { k: "ann" } } };
  const { send } = await projectGateway(t, {
    files: { "api.json": document },
    routes: [{ cache: { ttlSeconds: 60 }, operations: { guarded: { plugins: [keys] } } }],
  });
  const withKey = { "x-key": "k" };
  assert.equal((await send("GET", "/wms//")).status, 401);
  for (const target of ["/wms//", "/wms/", "//openapi", "//openapi?a=//b"]) {
    const { status, text } = await send("GET", target, withKey);
    assert.deepEqual([status, text], [200, target]);
  }
  for (const target of ["/wms/", "//openapi"]) {
    const { headers, text } = await send("GET", target);
    assert.match(String(headers["cache-status"]), /; hit/, target);
    assert.equal(text, target);
  }
  for (const target of ["//wms/", "//wms//", "///openapi", "/openapi//", "/wms///", "/none//"]) {
    const { status, json } = await send("GET", target, withKey);
    assert.deepEqual([status, json?.code], [400, "PATH_REFUSED"], target);
  }
});

test("a WebSocket is opened at the path that was asked for, with its empty segment", async (t) => {
  const { send } = await projectGateway(t, {
    files: { "api.json": document },
    routes: [{ operations: { socket: { websocket: true } } }],
  });
  const { text } = await send("GET", "//openapi?a=//b", {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-version": "13",
  });
  assert.equal(text, "//openapi?a=//b");
});

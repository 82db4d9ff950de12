import assert from "node:assert/strict";
import { test } from "node:test";
import { Router } from "../../src/routing/router.ts";
import { routerOf, show, withPathParameter } from "../support/routed.ts";

const CASES: readonly (readonly [routes: readonly string[], path: string, expected: string])[] = [
  [["/pets/{id}", "/pets/mine"], "/pets/mine", "GET /pets/mine {}"],
  [["/pets/{id}", "/pets/mine"], "/pets/7", 'GET /pets/{id} {"id":"7"}'],
  [["/{a}/b", "/x/{c}"], "/x/b", 'GET /x/{c} {"c":"b"}'],
  [["/a/{x}/c", "/a/b/d"], "/a/b/c", 'GET /a/{x}/c {"x":"b"}'],
  [["/{id}.json", "/{id}"], "/7.json", 'GET /{id}.json {"id":"7"}'],
  [["/{id}.json", "/{id}"], "/7.xml", 'GET /{id} {"id":"7.xml"}'],
  [["/{a}:{b}"], "/x:y", 'GET /{a}:{b} {"a":"x","b":"y"}'],
  [["/v1/{name}:cancel", "/v1/{name}"], "/v1/job:cancel", 'GET /v1/{name}:cancel {"name":"job"}'],
  [["/{name}.json", "/report.{kind}.json"], "/report.a.json", 'GET /report.{kind}.json {"kind":"a"}'],
  [["/"], "/", "GET / {}"],
  [["/"], "/x", "path-unknown"],
  [["/pets/{id}"], "/pets/", "path-unknown"],
  [["/pets/{id}"], "/pets", "path-unknown"],
  [["/pets/"], "/pets/", "GET /pets/ {}"],
  [["/pets"], "/pets/", "path-unknown"],
  [["/pets"], "/PETS", "path-unknown"],
  [["/a$b/{x}"], "/a$b/1", 'GET /a$b/{x} {"x":"1"}'],
  [["/a$b/{x}"], "/a%24b/1", 'GET /a$b/{x} {"x":"1"}'],
  [["/größe/{maß}"], "/gr%C3%B6%C3%9Fe/%C3%BC", 'GET /größe/{maß} {"maß":"ü"}'],
  [["/multi-part-name/{pet-id}"], "/multi-part-name/1", 'GET /multi-part-name/{pet-id} {"pet-id":"1"}'],
  [["/files/{path}"], "/files/a%2Fb", 'GET /files/{path} {"path":"a/b"}'],
  [["/files/{path}", "/files/a/b"], "/files/a%2Fb", 'GET /files/{path} {"path":"a/b"}'],
  [["/{__proto__}"], "/x", 'GET /{__proto__} {"__proto__":"x"}'],
];

for (const [routes, path, expected] of CASES) {
  test(`of ${routes.join(" and ")}, ${path} is ${expected}`, () => {
    const { router } = routerOf(Object.fromEntries(routes.map((route) => [`GET ${route}`, {}])));
    assert.equal(show(router.match("", "GET", path)), expected);
  });
}

test("HEAD is answered by GET, and what a path has is told", () => {
  const { router } = routerOf({ "GET /pets": {}, "POST /pets": {} });
  assert.equal(show(router.match("", "HEAD", "/pets")), "GET /pets {}");
  assert.deepEqual(router.match("", "DELETE", "/pets"), {
    kind: "method-unknown",
    allow: ["GET", "HEAD", "OPTIONS", "POST"],
  });
});

test("a concrete path that has not the method leaves it to a templated one that has", () => {
  const { router } = routerOf({
    "PUT /services/jira": {},
    "GET /services/{slug}": {},
    "DELETE /services/{slug}": {},
    "PATCH /{+rest}": {},
  });
  assert.equal(show(router.match("", "PUT", "/services/jira")), "PUT /services/jira {}");
  assert.equal(show(router.match("", "DELETE", "/services/jira")), 'DELETE /services/{slug} {"slug":"jira"}');
  assert.equal(show(router.match("", "HEAD", "/services/jira")), 'GET /services/{slug} {"slug":"jira"}');
  assert.equal(show(router.match("", "PATCH", "/services/jira")), 'PATCH /{+rest} {"rest":"services/jira"}');
  const allow = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "PUT"];
  assert.deepEqual(router.match("", "POST", "/services/jira"), { kind: "method-unknown", allow });
});

test("a segment that fits its template in two ways is read as the schemas allow", () => {
  const parameters = [
    { name: "x", in: "path", required: true, schema: { type: "number" } },
    { name: "type", in: "path", required: true, schema: { enum: ["png", "jpg"] } },
  ];
  const { router } = routerOf({
    "GET /map/{x}.{type}": { parameters },
    "GET /file/{name}.{type}": {},
    "GET /update/{id}{suffix}": withPathParameter("suffix", { enum: [".json", ".xml"] }),
    "GET /range/{a}-{b}-{c}": withPathParameter("c", { enum: ["x-y"] }),
  });
  assert.equal(
    show(router.match("", "GET", "/update/1b.json")),
    'GET /update/{id}{suffix} {"id":"1b","suffix":".json"}',
  );
  assert.equal(show(router.match("", "GET", "/update/1")), "path-unknown");
  assert.equal(show(router.match("", "GET", "/range/1-2-x-y")), 'GET /range/{a}-{b}-{c} {"a":"1","b":"2","c":"x-y"}');
  assert.equal(show(router.match("", "GET", "/map/5.png")), 'GET /map/{x}.{type} {"x":"5","type":"png"}');
  assert.equal(show(router.match("", "GET", "/map/51.5.jpg")), 'GET /map/{x}.{type} {"x":"51.5","type":"jpg"}');
  assert.equal(show(router.match("", "GET", "/map/5.1.gif")), 'GET /map/{x}.{type} {"x":"5","type":"1.gif"}');
  assert.equal(show(router.match("", "GET", "/file/a.tar.gz")), 'GET /file/{name}.{type} {"name":"a","type":"tar.gz"}');
});

test("templates that differ in names only are told apart by their schemas, the narrower first", () => {
  const { router, conflicts } = routerOf({
    "GET /users/{name}": withPathParameter("name", { type: "string" }),
    "GET /users/{id}": withPathParameter("id", { type: "integer" }),
    "GET /users/{key}": withPathParameter("key", { type: "string", format: "uuid" }),
    "GET /users/{which}": withPathParameter("which", { enum: ["first", "last"] }),
  });
  assert.deepEqual(conflicts, []);
  assert.equal(show(router.match("", "GET", "/users/7")), 'GET /users/{id} {"id":"7"}');
  assert.equal(show(router.match("", "GET", "/users/ada")), 'GET /users/{name} {"name":"ada"}');
  assert.equal(show(router.match("", "GET", "/users/last")), 'GET /users/{which} {"which":"last"}');
  const uuid = "123e4567-e89b-12d3-a456-426614174000";
  assert.equal(show(router.match("", "GET", `/users/${uuid}`)), `GET /users/{key} {"key":"${uuid}"}`);
});

test("templates that nothing tells apart are a conflict that names both", () => {
  const { conflicts } = routerOf({ "GET /users/{id}": {}, "GET /users/{name}": {}, "POST /users/{other}": {} });
  assert.equal(conflicts.length, 1);
  assert.equal(conflicts[0]?.operation.path, "/users/{name}");
  assert.equal(conflicts[0]?.with.path, "/users/{id}");
});

test("a template with a query is matched by it", () => {
  const { router, conflicts } = routerOf({ "GET /{bucket}": {}, "GET /{bucket}?acl": {}, "GET /{bucket}?type=2": {} });
  const match = (query: string): string =>
    show(router.match("", "GET", "/b", { query, headers: { get: () => undefined } }));
  assert.deepEqual(conflicts, []);
  assert.equal(match(""), 'GET /{bucket} {"bucket":"b"}');
  assert.equal(match("acl="), 'GET /{bucket}?acl {"bucket":"b"}');
  assert.equal(match("type=2"), 'GET /{bucket}?type=2 {"bucket":"b"}');
});

test("operations of one path are told apart by what a required header may be", () => {
  const target = (value: string): object => ({
    parameters: [{ name: "X-Target", in: "header", required: true, schema: { enum: [value] } }],
  });
  const { router, conflicts } = routerOf({ "POST /#a": target("a"), "POST /#b": target("b") });
  const match = (value: string): string =>
    show(router.match("", "POST", "/", { query: "", headers: { get: () => value } }));
  assert.deepEqual(conflicts, []);
  assert.equal(match("a"), "POST /#a {}");
  assert.equal(match("b"), "POST /#b {}");
});

test("a semicolon that a server might cut off does not lead around another operation's guard", () => {
  const { router } = routerOf({
    "GET /users/{id}": {},
    "PUT /users/{id}": {},
    "GET /users/admin": {},
    "GET /map/{;at}": {},
  });
  assert.equal(show(router.match("", "PUT", "/users/admin;x")), "path-ambiguous");
  assert.equal(show(router.match("", "GET", "/users/admin;x")), "path-ambiguous");
  assert.equal(show(router.match("", "GET", "/users/7;x")), 'GET /users/{id} {"id":"7;x"}');
});

test("hosts have trees of their own: the exact one first, then wildcards, then any", () => {
  const router = new Router<string>();
  routerOf({ "GET /exact": {} }, ["api.example.com"], router);
  routerOf({ "GET /wild": {} }, ["*.example.com"], router);
  assert.equal(show(router.match("api.example.com:8080", "GET", "/exact")), "GET /exact {}");
  assert.equal(show(router.match("api.example.com", "GET", "/wild")), "GET /wild {}");
  assert.equal(show(router.match("a.b.example.com", "GET", "/wild")), "GET /wild {}");
  assert.equal(show(router.match("example.org", "GET", "/wild")), "host-unknown");
  routerOf({ "GET /any": {} }, [], router);
  assert.equal(show(router.match("example.org", "GET", "/any")), "GET /any {}");
});

test("a match does not look at more nodes for 10,000 operations than for 10", () => {
  const small = routerOf(Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`GET /r${i}/{id}/x`, {}]))).router;
  const large = routerOf(
    Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`GET /r${i}/{id}/x`, {}])),
  ).router;
  const time = (router: Router<string>): number => {
    const start = performance.now();
    for (let i = 0; i < 20_000; i++) router.match("", "GET", "/r7/abc/x");
    return performance.now() - start;
  };
  time(small);
  time(large);
  // Linear matching would be a thousand times slower: this leaves room for whatever else the machine does.
  assert.ok(time(large) < 50 * Math.max(1, time(small)));
});

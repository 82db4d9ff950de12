import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compileJsonChanges } from "../../plugins/transforming/json-changes.ts";
import { startPluginGateway } from "../support/plugin-gateway.ts";

const table: [string, Parameters<typeof compileJsonChanges>[0], unknown, unknown][] = [
  [
    "picks members, in lists too",
    { pick: ["id", "owner.name"] },
    [{ id: 1, x: 2, owner: { name: "a", pin: 9 } }],
    [{ id: 1, owner: { name: "a" } }],
  ],
  [
    "drops members on every level",
    { drop: ["items.*.secret"] },
    { items: [{ id: 1, secret: 2 }] },
    { items: [{ id: 1 }] },
  ],
  [
    "drops through a list without a star",
    { drop: ["items.secret"] },
    { items: [{ id: 1, secret: 2 }] },
    { items: [{ id: 1 }] },
  ],
  ["renames in place", { rename: { b: "z" } }, { a: 1, b: 2, c: 3 }, { a: 1, z: 2, c: 3 }],
  ["unwraps and wraps", { unwrap: "result.data", wrap: "items" }, { result: { data: [1] } }, { items: [1] }],
  ["leaves what has nothing to unwrap", { unwrap: "data" }, { error: 1 }, { error: 1 }],
];
for (const [name, changes, before, after] of table) {
  test(`json ${name}`, () => assert.equal(JSON.stringify(compileJsonChanges(changes)(before)), JSON.stringify(after)));
}

test("whatever the value, wrapping and unwrapping gives it back and dropping leaves no such member", () => {
  const back = compileJsonChanges({ wrap: "data" });
  const out = compileJsonChanges({ unwrap: "data" });
  const drop = compileJsonChanges({ drop: ["a"] });
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.deepEqual(out(back(value)), value);
      const left = drop({ a: value, b: 1 }) as object;
      assert.deepEqual(Object.keys(left), ["b"]);
    }),
  );
});

test("bodies are changed on their way in and out, and what spoke of their bytes with them", async (t) => {
  const { url, last } = await startPluginGateway(
    t,
    [{ json: { request: { unwrap: "thing" }, response: { drop: ["secret"], wrap: "data" } } }],
    {
      service: (_request, response) => {
        response.writeHead(201, { "content-type": "application/json", etag: '"1"', "content-md5": "x" });
        response.end('{"id":1,"secret":2}');
      },
    },
  );
  const answer = await fetch(`${url}/things`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"thing":{"id":1}}',
  });
  assert.equal(last().text, '{"id":1}');
  assert.equal(last().headers["content-length"], "8");
  assert.deepEqual(await answer.json(), { data: { id: 1 } });
  assert.equal(answer.headers.get("etag"), 'W/"1"');
  assert.equal(answer.headers.get("content-md5"), null);
});

test("a body that claims to be JSON and is not is refused before the service is asked", async (t) => {
  const { url, seen } = await startPluginGateway(t, [{ json: { request: { drop: ["a"] } } }]);
  const headers = { "content-type": "application/json" };
  assert.equal((await fetch(`${url}/things`, { method: "POST", headers, body: "{" })).status, 400);
  assert.deepEqual(seen, []);
});

test("an answer too long to be held is an error, never half an answer", async (t) => {
  const { url } = await startPluginGateway(t, [{ json: { response: { drop: ["a"] }, maxBytes: "1KiB" } }], {
    service: (_request, response) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ a: "x".repeat(200_000) }));
    },
  });
  assert.equal((await fetch(`${url}/things`)).status, 502);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { changeJsonText } from "../../plugins/transforming/exact-json.ts";
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

const CODINGS: [string, (bytes: Buffer) => Buffer][] = [
  ["gzip", gzipSync],
  ["x-gzip", gzipSync],
  ["deflate", deflateSync],
  ["br", brotliCompressSync],
  ["Identity", (bytes) => bytes],
];

for (const [coding, encode] of CODINGS) {
  test(`an answer that a service sends as ${coding} without being asked loses what it is to lose`, async (t) => {
    const { url, last } = await startPluginGateway(t, [{ json: { response: { drop: ["secret"] } } }], {
      service: (_, response) => {
        response.writeHead(200, { "content-type": "application/json", "content-encoding": coding });
        response.end(encode(Buffer.from('{"id":1,"secret":2}')));
      },
    });
    const answer = await fetch(`${url}/things`);
    assert.equal(last().headers["accept-encoding"], "identity");
    assert.deepEqual([await answer.text(), answer.headers.get("content-encoding")], ['{"id":1}', null]);
  });
}

test("a coding that is not known, one that does not hold, or a bomb is an error, and never passed on as it is", async (t) => {
  const bodies: Record<string, [string, Buffer]> = {
    unknown: ["compress", Buffer.from('{"secret":1}')],
    twice: ["gzip, br", brotliCompressSync(gzipSync('{"secret":1}'))],
    cut: ["gzip", gzipSync('{"secret":1}').subarray(0, -4)],
    bomb: ["gzip", gzipSync(`{"secret":"${"x".repeat(5_000_000)}"}`)],
  };
  const { url } = await startPluginGateway(t, [{ json: { response: { drop: ["secret"] } } }], {
    service: (request, response) => {
      const [coding, body] = bodies[String(request.url).split("/").at(-1) ?? ""] ?? ["", Buffer.alloc(0)];
      response.writeHead(200, { "content-type": "application/json", "content-encoding": coding }).end(body);
    },
  });
  for (const name of Object.keys(bodies)) assert.equal((await fetch(`${url}/things/${name}`)).status, 502, name);
});

test("a compressed request cannot get past what bodies are to be rid of", async (t) => {
  const { url, seen } = await startPluginGateway(t, [{ json: { request: { drop: ["role"] } } }]);
  const headers = { "content-type": "application/json", "content-encoding": "gzip" };
  const answer = await fetch(`${url}/things`, { method: "POST", headers, body: gzipSync('{"role":"admin"}') });
  assert.deepEqual([answer.status, answer.headers.get("accept-encoding"), seen], [415, "identity", []]);
});

test("numbers stay as they are written, however many digits they have", () => {
  const drop = compileJsonChanges({ drop: ["secret"], rename: { a: "b" } });
  for (const number of ["9007199254740993", "-12345678901234567890", "0.12345678901234567890", "1e999", "1.0E+2"]) {
    const text = `{"a":[${number},{"x":${number}}],"s":"${number}, \\"${number}","secret":${number}}`;
    const wanted = `{"b":[${number},{"x":${number}}],"s":"${number}, \\"${number}"}`;
    assert.equal(changeJsonText(text, drop), wanted);
  }
  for (const broken of [
    "{",
    '{"a":09007199254740993}',
    '{"a":9007199254740993.}',
    "9007199254740993e",
    '{"a":"9007199254740993',
  ]) {
    assert.throws(() => changeJsonText(broken, drop), SyntaxError, broken);
  }
});

test("whatever the JSON, a change that changes nothing gives its value back", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), (text) => {
      assert.deepEqual(JSON.parse(changeJsonText(text, (value) => value)), JSON.parse(text));
    }),
  );
});

import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import { answering, startCachedService } from "../support/cached-service.ts";

/** Answers with whatever it was told by the request, as a careless service does, and says it may be stored. */
const reflecting = (request: IncomingMessage, response: ServerResponse): void => {
  const { host: _host, connection: _connection, "x-forwarded-for": _for, ...headers } = request.headers;
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    response.writeHead(200, { "Cache-Control": "max-age=60" });
    response.end(JSON.stringify({ headers, body: String(Buffer.concat(chunks)), url: request.url }));
  });
};

for (const [what, headers, body] of [
  ["X-Forwarded-Host", { "X-Forwarded-Host": "evil.example" }, undefined],
  ["X-Host", { "X-Host": "evil.example" }, undefined],
  ["X-Original-URL", { "X-Original-URL": "/evil.example" }, undefined],
  ["X-Rewrite-URL", { "X-Rewrite-URL": "/evil.example" }, undefined],
  ["X-HTTP-Method-Override", { "X-HTTP-Method-Override": "evil.example" }, undefined],
  ["Forwarded", { Forwarded: "host=evil.example" }, undefined],
  ["a cookie", { Cookie: "lang=evil.example" }, undefined],
  ["a body of a GET", { "Content-Length": "12" }, "evil.example"],
] as const) {
  test(`${what} of one client is never seen by another`, async (t) => {
    const service = await startCachedService(t, reflecting);
    await service.send("GET", "/orders", headers, body);
    const clean = await service.get("/orders");
    assert.doesNotMatch(clean.text, /evil\.example/);
  });
}

test("duplicate and re-ordered query parameters have answers of their own", async (t) => {
  const service = await startCachedService(t, reflecting);
  const queries = ["a=1&a=2", "a=2&a=1", "a=1", "a=1;a=2", "a=1&b=2", "b=2&a=1", "A=1", "a=%31", ""];
  for (const query of queries) await service.get(`/orders?${query}`);
  for (const query of queries.filter((text) => text !== "")) {
    const got = await service.get(`/orders?${query}`);
    assert.equal(JSON.parse(got.text).url, `/orders?${query}`);
  }
});

for (const path of [
  "/me",
  "/me/x.css",
  "/me/..%2fstatic.js",
  "/me%2f..%2fstatic.js",
  "/me;.js",
  "/me/x%00.css",
  "/me/",
]) {
  test(`what ${path} says to one consumer is not said to another`, async (t) => {
    const service = await startCachedService(t, (request, response) => {
      response.writeHead(200, { "Cache-Control": "max-age=60" }).end(`for ${request.headers["x-api-key"]}`);
    });
    await service.get(path, { "X-Api-Key": "a" });
    const other = await service.get(path, { "X-Api-Key": "b" });
    assert.doesNotMatch(other.text, /for a/);
    assert.doesNotMatch((await service.get(path)).text, /for [ab]/);
  });
}

test("answers on a guarded operation are reused for the same consumer alone", async (t) => {
  const service = await startCachedService(t, answering({ "Cache-Control": "public, max-age=60" }));
  for (const key of ["a", "b", "a", "b"]) await service.get("/me", { "X-Api-Key": key });
  assert.equal(service.asked.length, 2);
});

test("what the upstream calls public is shared by consumers once the route agrees", async (t) => {
  const service = await startCachedService(t, answering({ "Cache-Control": "public, max-age=60" }), {
    sharePublic: true,
  });
  for (const key of ["a", "b", "a"]) assert.equal((await service.get("/me", { "X-Api-Key": key })).text, "answer 1");
  const silent = await startCachedService(t, answering({ "Cache-Control": "max-age=60" }), { sharePublic: true });
  for (const key of ["a", "b"]) await silent.get("/me", { "X-Api-Key": key });
  assert.equal(silent.asked.length, 2);
});

test("a service that guards itself has an answer for each credential", async (t) => {
  const service = await startCachedService(
    t,
    answering({ "Cache-Control": "max-age=60" }),
    {},
    {},
    { security: "upstream" },
  );
  for (const key of ["a", "b", "a", "b"]) await service.get("/me", { "X-Api-Key": key });
  await service.get("/me");
  assert.equal(service.asked.length, 3);
});

for (const [what, headers] of [
  ["Set-Cookie", { "Cache-Control": "max-age=60", "Set-Cookie": "id=1" }],
  ["private", { "Cache-Control": "private, max-age=60" }],
  ["no-store", { "Cache-Control": "no-store, max-age=60" }],
  ["Vary: *", { "Cache-Control": "max-age=60", Vary: "Accept, *" }],
  ["Pragma: no-cache alone", { Pragma: "no-cache", Expires: "Fri, 01 Jan 2038 01:01:01 GMT" }],
] as const) {
  test(`an answer with ${what} is not shared, even where the route sets a lifetime`, async (t) => {
    const service = await startCachedService(t, answering(headers), { ttlSeconds: 60 });
    await service.get("/orders");
    assert.equal((await service.get("/orders")).text, "answer 2");
  });
}

test("an answer to a request with Authorization is shared only when the upstream allows it", async (t) => {
  for (const [control, asked, field = "Cache-Control"] of [
    ["max-age=60", 2],
    ["max-age=60, public", 1],
    ["s-maxage=60", 1],
    ["max-age=60, must-revalidate", 1],
    ["max-age=60", 2, "CDN-Cache-Control"],
    ["max-age=60, public", 1, "CDN-Cache-Control"],
  ] as const) {
    const service = await startCachedService(t, answering({ [field]: control }));
    await service.get("/orders", { Authorization: "Bearer one" });
    await service.get("/orders");
    assert.equal(service.asked.length, asked, control);
  }
});

for (const status of [400, 404, 405, 431, 500, 503]) {
  test(`a ${status} that one client provokes is not stored for the others`, async (t) => {
    const service = await startCachedService(
      t,
      (request, response) => {
        const isEvil = request.headers["x-evil"] !== undefined || request.headers.accept === "\xff";
        response.writeHead(isEvil ? status : 200, { "Cache-Control": "max-age=60" }).end();
      },
      { ttlSeconds: 60 },
    );
    for (const headers of [{ "X-Evil": "1" }, { Accept: "\xff" }]) {
      await service.get("/orders?for=evil", headers);
      assert.equal((await service.get("/orders?for=evil", { Accept: "a" })).status, 200);
    }
  });
}

test("an error is stored for no longer than its upstream states, and not at all by the route's lifetime", async (t) => {
  const silent = await startCachedService(t, answering({}, 404), { ttlSeconds: 60, heuristic: true });
  await silent.get("/orders/1");
  assert.equal((await silent.get("/orders/1")).text, "answer 2");
  const stated = await startCachedService(t, answering({ "Cache-Control": "max-age=60" }, 404));
  await stated.get("/orders/1");
  assert.equal((await stated.get("/orders/1")).text, "answer 1");
  const refused = await startCachedService(t, answering({ "Cache-Control": "max-age=60" }, 404), { errors: false });
  await refused.get("/orders/1");
  assert.equal((await refused.get("/orders/1")).text, "answer 2");
});

test("hosts, and paths that hold what looks like another host, have answers of their own", async (t) => {
  const service = await startCachedService(t, reflecting);
  const got = new Set<string>();
  for (const host of ["a.example", "b.example", "a.example:81"]) {
    await service.get("/orders", { host });
    got.add((await service.get("/orders", { host })).cache);
  }
  assert.equal(service.asked.length, 3);
});

test("a part is never stored or served as the whole", async (t) => {
  const service = await startCachedService(t, (request, response) => {
    const isPart = request.headers.range !== undefined;
    response.writeHead(isPart ? 206 : 200, {
      "Cache-Control": "max-age=60",
      ...(isPart ? { "Content-Range": "bytes 0-1/10" } : {}),
    });
    response.end(isPart ? "01" : "0123456789");
  });
  await service.get("/orders", { Range: "bytes=0-1" });
  assert.equal((await service.get("/orders")).text, "0123456789");
});

test("an upstream that breaks off is stored by nobody, small or large, told length or not", async (t) => {
  for (const [length, sent] of [
    [10, 5],
    [undefined, 5],
    [200_000, 100_000],
    [undefined, 100_000],
  ] as const) {
    let count = 0;
    const service = await startCachedService(t, (_request, response) => {
      const isFirst = ++count === 1;
      response.writeHead(200, { "Cache-Control": "max-age=60", ...(length ? { "Content-Length": length } : {}) });
      if (isFirst) response.write("x".repeat(sent), () => response.destroy());
      else response.end("y".repeat(length ?? 5));
    });
    await service.get("/orders").catch(() => undefined);
    const second = await service.get("/orders");
    assert.equal(second.text, "y".repeat(length ?? 5), `${length}`);
  }
});

test("what ends with its connection is never stored: cut off, it would look the same", async (t) => {
  const service = await startCachedService(t, (_request, response) => {
    response.socket?.end("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nConnection: close\r\n\r\nhalf of it");
  });
  for (let i = 0; i < 3; i++) {
    const got = await service.get("/orders");
    assert.deepEqual([got.text, got.cache], ["half of it", "Portico; fwd=uri-miss; fwd-status=200"]);
  }
  assert.equal(service.asked.length, 3);
});

test("an undeclared query parameter neither busts nor poisons, when the key is declared", async (t) => {
  const service = await startCachedService(t, reflecting, { key: "declared" });
  await service.get("/orders?utm=evil.example&page=1");
  const clean = await service.get("/orders?page=1");
  assert.doesNotMatch(clean.text, /evil\.example/);
  await service.get("/orders?page=1&x=2");
  assert.equal(service.asked.length, 1);
  await service.get("/orders?page=2");
  assert.equal(service.asked.length, 2);
  await service.get("/orders?page=2", { Cookie: "tenant=1" });
  assert.equal(service.asked.length, 3);
});

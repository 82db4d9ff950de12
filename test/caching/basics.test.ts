import assert from "node:assert/strict";
import { test } from "node:test";
import { answering, startCachedService } from "../support/cached-service.ts";

test("a fresh answer is reused, with its age, and the service is asked once", async (t) => {
  const service = await startCachedService(t, answering({ "Cache-Control": "max-age=60" }));
  const first = await service.get("/orders?page=1");
  const second = await service.get("/orders?page=1");
  assert.equal(first.cache, "Portico; fwd=uri-miss; fwd-status=200; stored");
  assert.match(second.cache, /^Portico; hit; ttl=(59|60)$/);
  assert.match(second.headers.age ?? "", /^\d+$/);
  assert.equal(second.text, first.text);
  assert.equal(service.asked.length, 1);
});

test("what the upstream says nothing of is not stored, unless the route gives it a lifetime", async (t) => {
  const silent = await startCachedService(t, answering({}));
  await silent.get("/orders");
  assert.equal((await silent.get("/orders")).text, "answer 2");
  const told = await startCachedService(t, answering({}), { ttlSeconds: 60 });
  await told.get("/orders");
  assert.equal((await told.get("/orders")).text, "answer 1");
});

test("with mode off nothing is stored and nothing is said", async (t) => {
  const service = await startCachedService(t, answering({ "Cache-Control": "max-age=60" }), { mode: "off" });
  await service.get("/orders");
  const second = await service.get("/orders");
  assert.equal(second.text, "answer 2");
  assert.equal(second.headers["cache-status"], undefined);
});

test("a stale answer is validated, and a 304 renews it", async (t) => {
  const service = await startCachedService(t, (request, response) => {
    const isKnown = request.headers["if-none-match"] === '"one"';
    response.writeHead(isKnown ? 304 : 200, { ETag: '"one"', "Cache-Control": "no-cache" });
    response.end(isKnown ? undefined : "body");
  });
  await service.get("/orders");
  const second = await service.get("/orders");
  assert.deepEqual([second.status, second.text], [200, "body"]);
  assert.match(second.cache, /fwd=stale; fwd-status=304/);
  assert.equal((await service.get("/orders", { "If-None-Match": '"one"' })).status, 304);
  assert.equal(service.asked.length, 3);
});

test("a range is cut from a complete stored answer", async (t) => {
  const service = await startCachedService(t, (_request, response) =>
    response.writeHead(200, { "Cache-Control": "max-age=60" }).end("0123456789"),
  );
  await service.get("/orders");
  for (const [range, status, text] of [
    ["bytes=2-4", 206, "234"],
    ["bytes=7-", 206, "789"],
    ["bytes=-2", 206, "89"],
    ["bytes=10-", 416, ""],
    ["bytes=0-1,3-4", 200, "0123456789"],
    ["lines=1-2", 200, "0123456789"],
  ] as const) {
    const got = await service.get("/orders", { Range: range });
    assert.deepEqual([got.status, got.text], [status, text], range);
  }
  assert.equal(service.asked.length, 1);
});

test("only-if-cached is answered 504 when there is nothing stored", async (t) => {
  const service = await startCachedService(t, answering({ "Cache-Control": "max-age=60" }));
  const got = await service.get("/orders", { "Cache-Control": "only-if-cached" });
  assert.equal(got.status, 504);
  assert.equal(JSON.parse(got.text).code, "CACHE_ONLY_MISS");
  assert.equal(service.asked.length, 0);
});

test("a HEAD is answered from a stored GET", async (t) => {
  const service = await startCachedService(t, answering({ "Cache-Control": "max-age=60" }));
  await service.get("/orders");
  const got = await service.send("HEAD", "/orders");
  assert.deepEqual([got.status, got.text, got.headers["content-length"]], [200, "", "8"]);
  assert.equal(service.asked.length, 1);
});

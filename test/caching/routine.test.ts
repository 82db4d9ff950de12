import assert from "node:assert/strict";
import { test } from "node:test";
import { startCachedService } from "../support/cached-service.ts";

const PLAIN = { "Cache-Control": "max-age=60" };

for (const [what, answered, asked] of [
  ["sets a cookie", { ...PLAIN, "Set-Cookie": "a=b" }, {}],
  ["varies by everything", { ...PLAIN, Vary: "*" }, {}],
  ["says something else to caches like this one", { ...PLAIN, "CDN-Cache-Control": "no-store" }, {}],
  ["is private", { "Cache-Control": "max-age=60, private" }, {}],
  ["says so a second time, and more", { "Cache-Control": ["max-age=60", "no-store"] }, {}],
  ["is of the past already", { "Cache-Control": "max-age=0" }, {}],
  ["was for who showed a credential", PLAIN, { Authorization: "Bearer a" }],
  ["was for who showed a cookie", PLAIN, { Cookie: "a=b" }],
  ["was not to be stored", PLAIN, { "Cache-Control": "no-store" }],
] as const) {
  test(`an answer like many before, except that it ${what}, is not stored as they were`, async (t) => {
    const service = await startCachedService(t, ({ url }, response) => {
      response.writeHead(200, url?.endsWith("=odd") ? (answered as Record<string, string>) : PLAIN).end("some bytes");
    });
    for (const n of ["1", "2", "3"]) await service.get(`/orders?n=${n}`);
    const first = await service.get("/orders?n=odd", asked as Record<string, string>);
    assert.doesNotMatch(String(first.headers["cache-status"]), /stored/);
    const second = await service.get("/orders?n=odd");
    assert.match(String(second.headers["cache-status"]), /fwd=uri-miss/);
    const usual = await service.get("/orders?n=3");
    assert.match(String(usual.headers["cache-status"]), /hit/);
  });
}

test("each of many answers alike is found by who asks next, with its own bytes, age and fields", async (t) => {
  const service = await startCachedService(t, ({ url }, response) => {
    const age = Number(new URLSearchParams(url?.split("?")[1]).get("n"));
    response.writeHead(200, { ...PLAIN, Age: String(age % 50), "X-Url": String(url) }).end(`the bytes of ${url}`);
  });
  for (let n = 0; n < 150; n++) {
    const first = await service.get(`/orders?n=${n}`);
    assert.match(String(first.headers["cache-status"]), /fwd-status=200; stored$/);
    const second = await service.get(`/orders?n=${n}`);
    assert.match(String(second.headers["cache-status"]), /^Portico; hit/);
    assert.equal(second.text, `the bytes of /orders?n=${n}`);
    assert.equal(second.headers["x-url"], `/orders?n=${n}`);
    assert.ok(Number(second.headers.age) >= n % 50);
  }
});

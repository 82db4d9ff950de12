import assert from "node:assert/strict";
import { test } from "node:test";
import { answering, startCachedService } from "../support/cached-service.ts";

const fresh = { "Cache-Control": "max-age=60" };
const far = "Thu, 01 Jan 2099 00:00:00 GMT";

/** What an upstream says, whether it may be reused, and fields that the reused answer must not have. */
const SAID: [what: string, fields: Record<string, string | string[]>, reused: boolean, gone?: string[]][] = [
  ["no-cache with a field", { "Cache-Control": 'max-age=60, no-cache="X-One"', "X-One": "1" }, true, ["x-one"]],
  ["private with a field", { "Cache-Control": 'max-age=60, private="X-One"', "X-One": "1" }, true, ["x-one"]],
  ["private with a bare field", { "Cache-Control": "max-age=60, private=X-One", "X-One": "1" }, true, ["x-one"]],
  ["private with what is no field", { "Cache-Control": 'max-age=60, private="a b"' }, false],
  ["a field of its connection", { ...fresh, Connection: "X-Hop", "X-Hop": "1" }, true, ["x-hop"]],
  ["no-store on a second line", { "Cache-Control": ["max-age=60", "no-store"] }, false],
  ["no-store inside a quoted string", { "Cache-Control": 'other="a, no-store", max-age=60' }, true],
  ["a quote that never ends", { "Cache-Control": 'other="a, max-age=60' }, false],
  ["a quoted lifetime", { "Cache-Control": 'max-age="60"' }, true],
  ["capitals", { "Cache-Control": "MAX-AGE=60" }, true],
  ["two lifetimes", { "Cache-Control": "max-age=60, max-age=0" }, false],
  ["a lifetime below zero", { "Cache-Control": "max-age=-1" }, false],
  ["a lifetime with a fraction", { "Cache-Control": "max-age=60.5" }, false],
  ["must-understand with no-store", { "Cache-Control": "must-understand, no-store, max-age=60" }, true],
  ["an age beyond its lifetime", { ...fresh, Age: "100" }, false],
  ["an age beyond all numbers", { ...fresh, Age: "99999999999999999999" }, false],
  ["an age below zero, which is none", { ...fresh, Age: "-1" }, true],
  ["a date years ago", { ...fresh, Date: "Thu, 01 Jan 2015 00:00:00 GMT" }, false],
  ["a date to come", { ...fresh, Date: far }, true],
  ["Expires: 0", { Expires: "0" }, false],
  ["Expires twice", { Expires: [far, "0"] }, false],
  ["Vary: * on a second line", { ...fresh, Vary: ["Accept", "*"] }, false],
  ["CDN-Cache-Control: no-store", { ...fresh, "CDN-Cache-Control": "no-store" }, false],
  ["Surrogate-Control beside no-store", { "Cache-Control": "no-store", "Surrogate-Control": "max-age=60" }, false],
];
for (const [what, fields, reused, gone = []] of SAID) {
  test(`an answer with ${what} is ${reused ? "" : "not "}reused`, async (t) => {
    const service = await startCachedService(t, answering(fields));
    await service.get("/orders");
    const again = await service.get("/orders");
    assert.equal(again.text, reused ? "answer 1" : "answer 2");
    for (const name of gone) assert.equal(again.headers[name], undefined);
  });
}

for (const name of ["X-Forwarded-For", "Forwarded", "Via"]) {
  test(`an answer that varies by ${name}, which the gateway writes, is given to nobody else`, async (t) => {
    const service = await startCachedService(t, (request, response) =>
      response.writeHead(200, { ...fresh, Vary: name }).end(request.headers[name.toLowerCase()]),
    );
    for (let i = 0; i < 2; i++) await service.get("/orders");
    assert.equal(service.asked.length, 2);
  });
}

test("an answer that varies by the host and the scheme asked for is reused: both are in its key", async (t) => {
  const service = await startCachedService(t, answering({ ...fresh, Vary: "X-Forwarded-Host, X-Forwarded-Proto" }));
  for (let i = 0; i < 2; i++) await service.get("/orders");
  assert.equal(service.asked.length, 1);
});

for (const [name, value] of [
  ["X-Forwarded-Host", "evil.example"],
  ["Forwarded", "for=1.2.3.4;host=evil.example"],
] as const) {
  test(`${name} that a trusted proxy passes on poisons nobody else's answer`, async (t) => {
    const service = await startCachedService(
      t,
      ({ headers }, response) =>
        response.writeHead(200, fresh).end(`${headers["x-forwarded-host"]} ${headers.forwarded}`),
      {},
      { trustedProxies: ["127.0.0.1"] },
    );
    await service.get("/orders", { [name]: value });
    const clean = await service.get("/orders");
    assert.doesNotMatch(clean.text, /evil\.example/);
    assert.match((await service.get("/orders", { [name]: value })).text, /evil\.example/);
    assert.equal(service.asked.length, 2);
  });
}

for (const [what, prefix, location] of [
  ["written in another way", "", "/orders/%37"],
  ["relative to the request", "", "orders/7"],
  ["without the prefix that it is not told of", "/shop", "/orders/7"],
  ["with the prefix", "/shop", "/shop/orders/7"],
] as const) {
  test(`what a service names ${what} is invalidated`, async (t) => {
    const service = await startCachedService(
      t,
      ({ method }, response) => {
        response.writeHead(200, { ...fresh, ...(method === "POST" ? { Location: location } : {}) }).end();
      },
      {},
      {},
      prefix === "" ? {} : { prefix },
    );
    const path = `${prefix}/orders/7`;
    for (let i = 0; i < 2; i++) await service.get(path);
    assert.equal(service.asked.length, 1);
    await service.send("POST", `${prefix}/orders`);
    await service.get(path);
    assert.equal(service.asked.length, 3);
  });
}

test("who asks to speak WebSocket is not answered with a stored page", async (t) => {
  const service = await startCachedService(t, answering(fresh), {}, {}, { websocket: true });
  await service.get("/orders");
  const { cache } = await service.get("/orders", {
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  });
  assert.doesNotMatch(cache, /hit/);
  assert.equal(service.asked.length, 2);
});

test("a Vary of two thousand names, and one of another name each time, stay within bounds", async (t) => {
  const service = await startCachedService(t, (request, response) => {
    const count = Number(request.headers["x-count"]);
    const names = count === 0 ? Array.from({ length: 2000 }, (_, i) => `x-${i}`) : [`x-${count}`];
    response.writeHead(200, { ...fresh, Vary: names.join() }).end("one");
  });
  for (let i = 0; i < 40; i++) assert.equal((await service.get("/orders", { "X-Count": String(i) })).text, "one");
  const { entries, bytes } = service.gateway.cache.statistics();
  assert.ok((entries ?? 0) <= 41 && (bytes ?? 0) < 2 ** 20, `${entries} entries, ${bytes} bytes`);
});

test("a 416 that one client provokes is not the answer to others", async (t) => {
  const service = await startCachedService(t, (request, response) => {
    const { range } = request.headers;
    if (range === undefined) response.writeHead(200, fresh).end("whole");
    else if (range === "bytes=100-")
      response.writeHead(206, { ...fresh, "Content-Range": "bytes 100-103/104" }).end("part");
    else response.writeHead(416, { ...fresh, "Content-Range": "bytes */104" }).end();
  });
  assert.equal((await service.get("/orders", { Range: "bytes=900-" })).status, 416);
  assert.equal((await service.get("/orders", { Range: "bytes=100-" })).text, "part");
  assert.equal((await service.get("/orders")).text, "whole");
});

test("a 304 that nobody asked for is not stored", async (t) => {
  const service = await startCachedService(t, (_request, response) =>
    service.asked.length === 1
      ? response.writeHead(304, { ...fresh, ETag: '"a"' }).end()
      : response.writeHead(200, fresh).end("whole"),
  );
  await service.get("/orders");
  assert.equal((await service.get("/orders")).text, "whole");
});

test("a renewal that fails leaves the stale answer as it is", async (t) => {
  const headers = { "Cache-Control": "max-age=0, stale-while-revalidate=60, stale-if-error=60" };
  const service = await startCachedService(t, (_request, response) =>
    service.asked.length === 1 ? response.writeHead(200, headers).end("one") : response.writeHead(500).end("bad"),
  );
  for (let i = 0; i < 4; i++) assert.equal((await service.get("/orders")).text, "one");
});

test("a confirmation that varies by another field makes the answer nobody else's", async (t) => {
  const service = await startCachedService(t, ({ headers }, response) => {
    const fields = { ETag: '"one"', "Cache-Control": "max-age=60", Vary: "X-Lang" };
    if (headers["if-none-match"] !== undefined) response.writeHead(304, fields).end();
    else response.writeHead(200, { ETag: '"one"', "Cache-Control": "max-age=0" }).end(`for ${headers["x-lang"]}`);
  });
  await service.get("/orders", { "X-Lang": "en" });
  const confirmed = await service.get("/orders", { "X-Lang": "en" });
  assert.deepEqual([confirmed.text, confirmed.headers.vary], ["for en", "X-Lang"]);
  assert.equal((await service.get("/orders", { "X-Lang": "de" })).text, "for de");
});

test("an answer with more tags than anybody needs is found by the last of them", async (t) => {
  const tags = Array.from({ length: 2000 }, (_, i) => `t${i}`).join(" ");
  const service = await startCachedService(t, answering({ ...fresh, "Surrogate-Key": tags }));
  await service.get("/orders");
  await service.gateway.cache.purge({ kind: "tag", value: "t1999", soft: false });
  assert.equal((await service.get("/orders")).text, "answer 2");
});

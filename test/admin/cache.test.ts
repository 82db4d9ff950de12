import assert from "node:assert/strict";
import { test } from "node:test";
import express from "express";
import supertest from "supertest";
import { createCacheAdminRouter } from "../../src/admin/cache-routes.ts";
import { answering, startCachedService } from "../support/cached-service.ts";

test("answers are purged by the admin API: by key, prefix, tag, operation and all", async (t) => {
  const service = await startCachedService(t, answering({ "Cache-Control": "max-age=60", "Cache-Tag": "red" }));
  const admin = supertest(express().use(createCacheAdminRouter(service.gateway.cache)));
  const purges = [
    { key: "/orders" },
    { key: `${service.url}/orders?page=1` },
    { prefix: "/ord" },
    { prefix: `${service.url}/o`, soft: true },
    { tag: "red" },
    { operation: "listOrders" },
    { all: true },
  ];
  for (const purge of purges) {
    await service.get("/orders");
    assert.match((await service.get("/orders")).cache, /hit/);
    await admin.post("/v1/cache/purge").send(purge).expect(200);
    assert.doesNotMatch((await service.get("/orders")).cache, /hit/, JSON.stringify(purge));
  }
  const { body } = await admin.get("/v1/cache").expect(200);
  assert.equal(body.entries, 1);
  assert.ok(body.bytes > 0);
});

test("a path is purged however it is written", async (t) => {
  const service = await startCachedService(t, answering({ "Cache-Control": "max-age=60" }));
  const admin = supertest(express().use(createCacheAdminRouter(service.gateway.cache)));
  for (const [asked, written] of [
    ["/orders/%41", "/orders/%41"],
    ["/orders/A", "/orders/%41"],
    ["/orders/caf%C3%A9", "/orders/caf\u00e9"],
    ["/orders/caf%C3%A9", "/orders/caf%c3%a9"],
    ["/orders/a%2Fb", "/orders/a%2fb"],
    ["/orders/a%20b", "/orders/a b"],
    ["/orders/1", "/orders/1?page=1"],
    ["/orders/1", "http://SHOP.example:80/orders/1"],
    ["/orders/1", "http://shop.example/orders/1#top"],
  ] as const) {
    const host = { host: "shop.example" };
    await service.get(asked, host);
    await admin.post("/v1/cache/purge").send({ key: written }).expect(200);
    assert.doesNotMatch((await service.get(asked, host)).cache, /hit/, written);
  }
});

test("a purge that names nothing, or too much, is refused with a sentence", async (t) => {
  const service = await startCachedService(t, answering({}));
  const admin = supertest(express().use(createCacheAdminRouter(service.gateway.cache)));
  for (const wrong of [
    {},
    [],
    { all: false },
    { tag: 1 },
    { tag: "" },
    { tag: "a", key: "/b" },
    { keys: "/" },
    { key: "orders" },
    { key: "/orders/../me" },
    { prefix: "/orders/./" },
    { prefix: "/%" },
    { all: true, soft: 1 },
  ]) {
    const { body } = await admin.post("/v1/cache/purge").send(wrong).expect(400);
    assert.equal(body.code, "PURGE_INVALID", JSON.stringify(wrong));
  }
});

test("a purge needs the admin token, and the gateway itself purges for nobody", async (t) => {
  const service = await startCachedService(t, answering({ "Cache-Control": "max-age=60" }));
  await service.get("/orders");
  for (const method of ["PURGE", "BAN", "INVALIDATE"]) {
    const { status } = await service.send(method, "/orders").catch(() => ({ status: 400 }));
    assert.ok(status >= 400, method);
  }
  assert.match((await service.get("/orders")).cache, /hit/);
});

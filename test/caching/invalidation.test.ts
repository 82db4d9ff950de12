import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { test } from "node:test";
import { invalidatedBy } from "../../src/caching/invalidation.ts";
import type { Purge } from "../../src/caching/purges.ts";
import type { Operation } from "../../src/core/operation.ts";
import { answering, type CachedService, startCachedService } from "../support/cached-service.ts";
import { eventually } from "../support/eventually.ts";

const fresh = { "Cache-Control": "max-age=60" };
const READ = ["/orders", "/orders?page=2", "/orders/1", "/orders/2", "/stats"];

for (const [method, path, gone] of [
  ["PUT", "/orders/1", ["/orders", "/orders?page=2", "/orders/1"]],
  ["DELETE", "/orders/1", ["/orders", "/orders?page=2", "/orders/1"]],
  ["POST", "/orders/1/cancel", ["/orders", "/orders?page=2", "/orders/1"]],
  ["POST", "/orders", ["/orders", "/orders?page=2", "/stats"]],
] as const) {
  test(`a successful ${method} ${path} invalidates the resource, its collection and what its links name`, async (t) => {
    const service = await startCachedService(t, answering(fresh));
    for (const read of READ) await service.get(read);
    await service.send(method, path);
    const asked: string[] = [];
    for (const read of READ) {
      const before = service.asked.length;
      await service.get(read);
      if (service.asked.length > before) asked.push(read);
    }
    assert.deepEqual(asked, gone);
  });
}

test("an unsafe request that fails invalidates nothing", async (t) => {
  const service = await startCachedService(t, (request, response) =>
    response.writeHead(request.method === "GET" ? 200 : 500, fresh).end(),
  );
  await service.get("/orders/1");
  await service.send("PUT", "/orders/1");
  await service.get("/orders/1");
  assert.equal(service.asked.length, 2);
});

test("Location and Content-Location on this host are invalidated, another host's are not", async (t) => {
  const service = await startCachedService(t, (request, response) => {
    const other = request.url === "/orders?far" ? "http://other.example" : "";
    response.writeHead(200, { ...fresh, Location: `${other}/orders/7`, "Content-Location": "/stats" }).end();
  });
  const isAsked = async (path: string): Promise<boolean> => {
    const before = service.asked.length;
    await service.get(path);
    return service.asked.length > before;
  };
  for (const path of ["/orders/7", "/stats"]) await isAsked(path);
  await service.send("POST", "/orders?far");
  assert.equal(await isAsked("/orders/7"), false);
  await service.send("POST", "/orders");
  assert.deepEqual([await isAsked("/orders/7"), await isAsked("/stats")], [true, true]);
});

test("an answer that was on its way while it was invalidated is not served afterwards", async (t) => {
  let release = (): void => {};
  const service = await startCachedService(t, (request, response) => {
    if (request.method !== "GET" || service.asked.length > 1) response.writeHead(200, fresh).end("new");
    else release = () => response.writeHead(200, fresh).end("old");
  });
  const old = service.get("/orders/1");
  while (service.asked.length < 1) await new Promise(setImmediate);
  await service.send("PUT", "/orders/1");
  release();
  assert.equal((await old).text, "old");
  assert.equal((await service.get("/orders/1")).text, "new");
});

for (const [what, change, isConcerned] of [
  ["a PUT", (service: CachedService) => service.send("PUT", "/orders/1"), true],
  ["a purge by tag", (service: CachedService) => forget(service, "tag", "red"), true],
  ["a soft purge", (service: CachedService) => forget(service, "all", "", true), true],
  ["a purge by a prefix of it", (service: CachedService) => forget(service, "prefix", "\n/orders"), true],
  ["a purge of something else", (service: CachedService) => forget(service, "resource", "\n/stats"), false],
  ["a PUT of another", (service: CachedService) => service.send("PUT", "/orders/2"), false],
] as const) {
  test(`who asks after ${what} ${isConcerned ? "does not wait" : "waits"} for what was fetched before it`, async (t) => {
    const held: ServerResponse[] = [];
    const service = await startCachedService(t, (request, response) => {
      if (request.method === "GET" && request.url === "/orders/1") held.push(response);
      else response.end();
    });
    const old = service.get("/orders/1");
    await eventually("it is upstream", () => held.length === 1);
    await change(service);
    const following = [service.get("/orders/1"), service.get("/orders/1")];
    await service.get("/stats");
    if (isConcerned) await eventually("it is fetched again", () => held.length === 2);
    for (const [i, response] of held.entries()) response.writeHead(200, { ...fresh, "Cache-Tag": "red" }).end(`${i}`);
    assert.equal((await old).text, "0");
    for (const { text } of await Promise.all(following)) assert.equal(text, isConcerned ? "1" : "0");
    assert.equal(held.length, isConcerned ? 2 : 1);
  });
}

const forget = ({ gateway }: CachedService, kind: Purge["kind"], value: string, soft = false): Promise<void> =>
  gateway.cache.purge({ kind, value, soft });

for (const [purge, gone] of [
  [{ kind: "all", value: "" }, [true, true]],
  [{ kind: "tag", value: "red" }, [true, false]],
  [{ kind: "operation", value: "listOrders" }, [true, false]],
  [{ kind: "prefix", value: "api.example\n/st" }, [false, true]],
  [{ kind: "resource", value: "api.example\n/orders" }, [true, false]],
  [{ kind: "tag", value: "blue" }, [false, false]],
] as const) {
  test(`a purge by ${purge.kind} ${JSON.stringify(purge.value)} takes what it names`, async (t) => {
    const service = await startCachedService(t, (request, response) =>
      response
        .writeHead(200, { ...fresh, ETag: '"1"', "Cache-Tag": request.url === "/orders" ? "red, all" : "green" })
        .end(),
    );
    const host = { host: "api.example" };
    for (const path of ["/orders", "/stats"]) await service.get(path, host);
    await service.gateway.cache.purge({ ...purge, soft: false });
    const asked: boolean[] = [];
    for (const path of ["/orders", "/stats"]) {
      const before = service.asked.length;
      await service.get(path, host);
      asked.push(service.asked.length > before);
    }
    assert.deepEqual(asked, gone);
    assert.ok(service.asked.every(({ headers }) => headers["if-none-match"] === undefined));
  });
}

test("a soft purge keeps the answer, to be validated", async (t) => {
  const service = await startCachedService(t, (request, response) => {
    response.writeHead(request.headers["if-none-match"] === undefined ? 200 : 304, { ...fresh, ETag: '"1"' }).end();
  });
  await service.get("/orders");
  await service.gateway.cache.purge({ kind: "all", value: "", soft: true });
  assert.match((await service.get("/orders")).cache, /fwd=stale; fwd-status=304/);
  assert.match((await service.get("/orders")).cache, /hit/);
});

test("what an operation invalidates is told from the spec alone", () => {
  const operation = (method: string, publicPath: string): Operation =>
    ({ id: `${method} ${publicPath}`, method, publicPath, responses: new Map() }) as never;
  const siblings = ["/", "/shops", "/shops/{s}", "/shops/{s}/orders", "/shops/{s}/orders/{o}", "/shops/{s}/staff"].map(
    (path) => operation("GET", path),
  );
  assert.deepEqual(invalidatedBy(operation("PUT", "/shops/{s}/orders/{o}"), siblings), [
    "/shops/{s}/orders",
    "/shops/{s}/orders/{o}",
  ]);
  assert.deepEqual(
    invalidatedBy(operation("POST", "/shops/{id}/orders"), siblings),
    ["/shops/{s}", "/shops/{s}/orders", "/shops"].sort(),
  );
  assert.deepEqual(invalidatedBy(operation("GET", "/shops"), siblings), []);
});

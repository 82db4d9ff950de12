import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type TestContext, test } from "node:test";
import { type CachedService, startCachedService } from "../support/cached-service.ts";
import { eventually } from "../support/eventually.ts";

interface Held {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** A service that answers when the test does. */
async function startHeld(t: TestContext): Promise<{ service: CachedService; held: Held[] }> {
  const held: Held[] = [];
  const service = await startCachedService(t, (request, response) => held.push({ request, response }));
  return { service, held };
}

/** Two requests for one path, the second of which waits for the first. */
async function sendTwo(service: CachedService, held: Held[], fields: Record<string, string>) {
  const before = held.length;
  const first = service.get("/orders");
  await eventually("the first is upstream", () => held.length === before + 1);
  const second = service.get("/orders", fields);
  // One for another path, on its way to the service after the second: by then that has been taken.
  const marker = service.get("/stats");
  await eventually("the marker is upstream", () => held.some(({ request }) => request.url === "/stats"));
  held
    .find(({ request }) => request.url === "/stats")
    ?.response.writeHead(204)
    .end();
  await marker;
  return { first, second };
}

for (const [what, fields, isShared] of [
  ["of any age", {}, true],
  ["that is no older than it is", { "Cache-Control": "max-age=200" }, true],
  ["that has just been asked for", { "Cache-Control": "no-cache" }, true],
  ["that is younger", { "Cache-Control": "max-age=10" }, false],
  ["that stays fresh for longer", { "Cache-Control": "min-fresh=550" }, false],
] as const) {
  test(`who waits for an answer ${what} is ${isShared ? "given it" : "not given it"}`, async (t) => {
    const { service, held } = await startHeld(t);
    const { first, second } = await sendTwo(service, held, fields);
    held[0]?.response.writeHead(200, { "Cache-Control": "max-age=600", Age: "100" }).end("one");
    if (!isShared) await eventually("the second asks for itself", () => held.length === 3);
    held[2]?.response.writeHead(200, { "Cache-Control": "max-age=600" }).end("two");
    assert.equal((await first).text, "one");
    assert.equal((await second).text, isShared ? "one" : "two");
  });
}

test("a confirmation of what must be asked about each time is for one request alone", async (t) => {
  const fields = { ETag: '"one"', "Cache-Control": "no-cache" };
  const { service, held } = await startHeld(t);
  const cold = service.get("/orders");
  await eventually("it is upstream", () => held.length === 1);
  held[0]?.response.writeHead(200, fields).end("one");
  await cold;
  const { first, second } = await sendTwo(service, held, {});
  held[1]?.response.writeHead(304, fields).end();
  await eventually("the second asks for itself", () => held.length === 4);
  held[3]?.response.writeHead(200, { ...fields, ETag: '"two"' }).end("two");
  assert.deepEqual([(await first).text, (await second).text], ["one", "two"]);
});

for (const [what, fields, status] of [
  ["who sent what made it break off fails alone", { "X-Odd": "breaks it" }, 200],
  ["who sent nothing of their own fails with all who wait", {}, 502],
] as const) {
  test(`of those who wait, ${what}`, async (t) => {
    const { service, held } = await startHeld(t);
    const leader = service.get("/orders", fields);
    await eventually("it is upstream", () => held.length === 1);
    const followers = [service.get("/orders"), service.get("/orders")];
    const marker = service.get("/stats");
    await eventually("the marker is upstream", () => held.length === 2);
    held[1]?.response.end();
    await marker;
    held[0]?.response.destroy();
    if (status === 200) await eventually("the others ask for themselves", () => held.length > 2);
    let isDone = false;
    const all = Promise.all([leader, ...followers]).finally(() => {
      isDone = true;
    });
    await eventually("all are answered", () => {
      for (const { response } of held.splice(2)) response.end("clean");
      return isDone;
    });
    assert.deepEqual(
      (await all).map((got) => got.status),
      [502, status, status],
    );
  });
}

for (const fields of [
  { Cookie: "a=b" },
  { Authorization: "Basic YTpi" },
  { Cookie: "a=b", "Cache-Control": "no-cache" },
]) {
  test(`what cannot be stored for ${JSON.stringify(fields)} costs nobody else that they fetch once`, async (t) => {
    const { service, held } = await startHeld(t);
    const own = service.get("/orders", fields);
    await eventually("it is upstream", () => held.length === 1);
    held.shift()?.response.writeHead(200, { "Cache-Control": "max-age=60" }).end("own");
    assert.equal((await own).text, "own");
    const first = service.get("/orders", fields);
    await eventually("it is upstream again", () => held.length === 1);
    const others = Array.from({ length: 10 }, () => service.get("/orders"));
    await eventually("the others are, once", () => held.length === 2);
    for (const { response } of held) response.writeHead(200, { "Cache-Control": "max-age=60" }).end("for all");
    for (const { text } of await Promise.all([first, ...others])) assert.equal(text, "for all");
    assert.equal(service.asked.length, 3);
  });
}

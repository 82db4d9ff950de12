import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import { startCachedService } from "../support/cached-service.ts";
import { eventually } from "../support/eventually.ts";

const of = (key: string): { "X-Api-Key": string } => ({ "X-Api-Key": key });
const options = { sharePublic: true };

for (const [what, first, second] of [
  ["another consumer", of("a"), of("b")],
  ["nobody known", of("a"), {}],
  ["a consumer, where nobody known came first", {}, of("a")],
] as const) {
  test(`what one gets in place of a stale public answer is not for ${what} who asks with them`, async (t) => {
    const held: { request: IncomingMessage; response: ServerResponse }[] = [];
    const service = await startCachedService(
      t,
      (request, response) => {
        if (service.asked.length > 1) held.push({ request, response });
        else response.writeHead(200, { "Cache-Control": "public, max-age=0", ETag: '"1"' }).end("for all");
      },
      options,
    );
    await service.get("/notices", of("a"));
    const leader = service.get("/notices", first);
    await eventually("it is asked about", () => held.length === 1);
    const follower = service.get("/notices", second);
    // Another path is answered meanwhile: who came before that is waiting, or asks for itself.
    const marker = service.get("/stats");
    await eventually("the marker is upstream", () => held.some(({ request }) => request.url === "/stats"));
    let answered = 0;
    const answerAll = (): boolean => {
      for (const { request, response } of held.splice(0)) {
        answered++;
        response.writeHead(200, { "Cache-Control": "max-age=60" }).end(`for ${request.headers["x-api-key"]}`);
      }
      return answered === 3;
    };
    await eventually("all of them are answered", answerAll);
    await marker;
    assert.equal((await leader).text, `for ${(first as { "X-Api-Key"?: string })["X-Api-Key"]}`);
    assert.equal((await follower).text, `for ${(second as { "X-Api-Key"?: string })["X-Api-Key"]}`);
  });
}

test("those who ask together about a public answer share its confirmation while that calls it public", async (t) => {
  for (const [control, expected] of [
    ["public, max-age=60", 2],
    ["max-age=60", 3],
  ] as const) {
    const service = await startCachedService(
      t,
      (request, response) => {
        const isAsked = request.headers["if-none-match"] === '"1"';
        const fields = { "Cache-Control": isAsked ? control : "public, max-age=0", ETag: '"1"' };
        response.writeHead(isAsked ? 304 : 200, fields).end(isAsked ? undefined : "for all");
      },
      options,
    );
    await service.get("/me", of("a"));
    await service.get("/me", of("a"));
    assert.equal((await service.get("/me", of("b"))).text, "for all");
    assert.equal(service.asked.length, expected, control);
  }
});

test("a consumer is not given what was stored for those whom nobody knows, unless it is public", async (t) => {
  const service = await startCachedService(
    t,
    ({ headers }, response) =>
      response.writeHead(200, { "Cache-Control": "max-age=60" }).end(`for ${headers["x-api-key"] ?? "nobody"}`),
    options,
  );
  for (const _ of [1, 2]) {
    assert.equal((await service.get("/notices")).text, "for nobody");
    assert.equal((await service.get("/notices", of("a"))).text, "for a");
  }
  assert.equal(service.asked.length, 2);
});

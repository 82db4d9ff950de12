import assert from "node:assert/strict";
import { test } from "node:test";
import { startCachedService } from "../support/cached-service.ts";

test("of answers that did not all vary by the same, the most recent one that fits is given", async (t) => {
  const startMs = Date.now() - 100_000;
  const service = await startCachedService(t, (request, response) => {
    const count = service.asked.length;
    const fields = { "Cache-Control": "max-age=600", Date: new Date(startMs + count * 10_000).toUTCString() };
    const vary = request.headers["x-vary"];
    response.writeHead(200, vary === undefined ? fields : { ...fields, Vary: vary }).end(`answer ${count}`);
  });
  await service.get("/orders", { "X-Kind": "one", "X-Vary": "X-Kind" });
  // For everybody, and later than what is for the first kind alone.
  await service.get("/orders", { "X-Kind": "two", "Cache-Control": "no-cache" });
  await service.get("/orders", { "X-Kind": "three", "X-Vary": "X-Kind", "Cache-Control": "no-cache" });
  for (const [kind, text] of [
    ["one", "answer 2"],
    ["two", "answer 2"],
    ["three", "answer 3"],
    ["four", "answer 2"],
  ] as const) {
    assert.equal((await service.get("/orders", { "X-Kind": kind })).text, text, kind);
  }
  assert.equal(service.asked.length, 3);
});

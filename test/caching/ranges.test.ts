import assert from "node:assert/strict";
import { test } from "node:test";
import { startCachedService } from "../support/cached-service.ts";

const DAY_BEFORE = new Date(Date.now() - 86_400_000).toUTCString();
for (const [what, headers, status, text] of [
  ["the first bytes", { Range: "bytes=0-1" }, 206, "01"],
  ["the last bytes", { Range: "bytes=-3" }, 206, "789"],
  ["more than there is", { Range: "bytes=8-99999999999999999999" }, 206, "89"],
  ["nothing that there is", { Range: "bytes=10-" }, 416, ""],
  ["no bytes at the end", { Range: "bytes=-0" }, 416, ""],
  ["an end before the start", { Range: "bytes=5-3" }, 200, "0123456789"],
  ["another unit", { Range: "items=0-1" }, 200, "0123456789"],
  ["several at once", { Range: "bytes=0-1,3-4" }, 200, "0123456789"],
  ["a part of the same representation", { Range: "bytes=5-", "If-Range": '"one"' }, 206, "56789"],
  ["a part of another", { Range: "bytes=5-", "If-Range": '"two"' }, 200, "0123456789"],
  ["a part by a weak validator", { Range: "bytes=5-", "If-Range": 'W/"one"' }, 200, "0123456789"],
  ["a part by a date", { Range: "bytes=5-", "If-Range": DAY_BEFORE }, 206, "56789"],
  ["a part by another date", { Range: "bytes=5-", "If-Range": new Date(0).toUTCString() }, 200, "0123456789"],
  ["a part of what is had already", { Range: "bytes=5-", "If-None-Match": '"one"' }, 304, ""],
] as const) {
  test(`a range of a stored answer: ${what}`, async (t) => {
    const fields = { "Cache-Control": "max-age=60", ETag: '"one"', "Last-Modified": DAY_BEFORE };
    const service = await startCachedService(t, (_request, response) => {
      response.writeHead(200, fields).end("0123456789");
    });
    await service.get("/orders");
    const got = await service.get("/orders", headers);
    assert.deepEqual([got.status, got.text, service.asked.length], [status, text, 1]);
    if (status === 416) assert.equal(got.headers["content-range"], "bytes */10");
    assert.equal((await service.send("HEAD", "/orders", headers)).status, status === 304 ? 304 : 200);
  });
}

test("a date within the second that the answer was made in proves no part", async (t) => {
  const now = new Date().toUTCString();
  const service = await startCachedService(t, (_request, response) => {
    response.writeHead(200, { "Cache-Control": "max-age=60", Date: now, "Last-Modified": now }).end("0123456789");
  });
  await service.get("/orders");
  assert.equal((await service.get("/orders", { Range: "bytes=5-", "If-Range": now })).status, 200);
});

test("of an answer without a body, its last bytes are all of it, and a first byte is not there", async (t) => {
  const service = await startCachedService(t, (_request, response) => {
    response.writeHead(200, { "Cache-Control": "max-age=60", "Content-Length": 0 }).end();
  });
  await service.get("/orders");
  for (const [range, status] of [
    ["bytes=-5", 200],
    ["bytes=-0", 416],
    ["bytes=0-", 416],
  ] as const) {
    const got = await service.get("/orders", { Range: range });
    assert.deepEqual([got.status, got.text, service.asked.length], [status, "", 1], range);
  }
});

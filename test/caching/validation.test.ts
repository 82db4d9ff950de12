import assert from "node:assert/strict";
import { test } from "node:test";
import { startCachedService } from "../support/cached-service.ts";
import { eventually } from "../support/eventually.ts";

const first = "Thu, 01 Jan 2015 00:00:00 GMT";
const second = "Fri, 02 Jan 2015 00:00:00 GMT";

/** Validators of a stored answer and of the 304 to a request that asked about it. RFC 9111 §4.3.4. */
const CONFIRMED: [stored: Record<string, string>, confirmed: Record<string, string>, isBelieved: boolean][] = [
  [{ ETag: '"a"' }, { ETag: '"a"' }, true],
  [{ ETag: '"a"' }, {}, true],
  [{ ETag: 'W/"a"' }, { ETag: '"a"' }, true],
  [{ ETag: '"a"' }, { ETag: '"b"' }, false],
  [{ ETag: '"a"', "Last-Modified": first }, { ETag: '"a"', "Last-Modified": second }, true],
  [{ "Last-Modified": first }, { "Last-Modified": first }, true],
  [{ "Last-Modified": first }, { "Last-Modified": second }, false],
  [{ "Last-Modified": first }, { ETag: '"a"' }, false],
  [{ "Last-Modified": first }, { ETag: 'W/"a"' }, false],
  [{ "Last-Modified": first }, { ETag: 'W/"a"', "Last-Modified": first }, true],
  [{ ETag: '"a"' }, { "Last-Modified": first }, false],
];
for (const [stored, confirmed, isBelieved] of CONFIRMED) {
  const what = `a 304 with ${JSON.stringify(confirmed)} about ${JSON.stringify(stored)}`;
  test(`${what} is ${isBelieved ? "" : "not "}believed`, async (t) => {
    let count = 0;
    const service = await startCachedService(t, ({ headers }, response) => {
      const isAsked = headers["if-none-match"] !== undefined || headers["if-modified-since"] !== undefined;
      const fields = { "Cache-Control": "max-age=0", ...(isAsked ? confirmed : stored) };
      if (isAsked) response.writeHead(304, fields).end();
      else response.writeHead(200, fields).end(`answer ${++count}`);
    });
    await service.get("/orders");
    const { status, text } = await service.get("/orders");
    assert.deepEqual([status, text], [200, isBelieved ? "answer 1" : "answer 2"]);
  });
}

for (const status of [301, 404]) {
  // RFC 9110 §13.2.1: a 304 stands in for a success. nginx once served a 404 on after its page had come back.
  test(`a stored ${status} is not asked about: a 304 would speak of what is there now`, async (t) => {
    let isBack = false;
    const service = await startCachedService(
      t,
      ({ headers }, response) => {
        const fields = { "Last-Modified": first };
        if (!isBack) response.writeHead(status, { ...fields, "Cache-Control": "max-age=1", Age: "1" }).end("gone");
        else if (headers["if-modified-since"] !== undefined) response.writeHead(304, fields).end();
        else response.writeHead(200, fields).end("back");
      },
      {},
    );
    await service.get("/orders");
    isBack = true;
    const { status: now, text } = await service.get("/orders");
    assert.deepEqual([now, text], [200, "back"]);
  });
}

for (const [method, fields] of [
  ["GET", { "Cache-Control": "no-store" }],
  ["GET", { "Cache-Control": "no-cache", Cookie: "a=b" }],
  ["GET", { "Cache-Control": "no-cache", Authorization: "Basic YTpi" }],
  ["HEAD", { "Cache-Control": "no-store" }],
] as const) {
  test(`${method} with ${JSON.stringify(fields)} takes nothing away that is confirmed to it`, async (t) => {
    let said = "max-age=60";
    const service = await startCachedService(t, (request, response) => {
      const isAsked = request.headers["if-none-match"] !== undefined;
      const headers = { "Cache-Control": said, ETag: '"a"', "X-For": request.headers.cookie ?? "all" };
      response.writeHead(isAsked ? 304 : 200, isAsked ? headers : { ...headers, "Content-Length": 4 });
      response.end(isAsked || request.method === "HEAD" ? undefined : "kept");
    });
    await service.get("/orders");
    assert.equal((await service.send(method, "/orders", fields)).status, 200);
    const { cache, headers } = await service.get("/orders");
    assert.match(cache, /hit/);
    assert.equal(headers["x-for"], "all");
    said = "private";
    await service.send(method, "/orders", fields);
    assert.match((await service.get("/orders")).cache, /uri-miss/);
  });
}

for (const method of ["GET", "HEAD"]) {
  test(`a confirmation by ${method} without a date is of now, not of the date that is stored`, async (t) => {
    const hourAgo = new Date(Date.now() - 3_600_000).toUTCString();
    const service = await startCachedService(t, ({ headers, method: asked }, response) => {
      const fields = { "Cache-Control": "max-age=60", ETag: '"one"', "Content-Length": 4 };
      const isKnown = headers["if-none-match"] !== undefined;
      if (asked === "HEAD" || isKnown) response.sendDate = false;
      else response.setHeader("Date", hourAgo);
      response.writeHead(isKnown ? 304 : 200, fields).end(isKnown ? undefined : "body");
    });
    await service.get("/orders");
    await service.send(method, "/orders");
    assert.match((await service.get("/orders")).cache, /^Portico; hit/);
    assert.equal(service.asked.length, 2);
  });
}

/** What follows on a stale answer that may be served for a day while it is fetched again, and what the next is given. */
const FOLLOWED: [
  what: string,
  status: number,
  fields: Record<string, string>,
  asked: Record<string, string>,
  next: string,
][] = [
  ["404", 404, {}, {}, "two"],
  ["410", 410, {}, {}, "two"],
  ["an answer for its client alone", 200, { "Cache-Control": "private" }, {}, "two"],
  ["an answer that is not to be stored", 200, { "Cache-Control": "no-store", ETag: '"two"' }, {}, "two"],
  ["a redirection", 302, { Location: "/stats" }, {}, "two"],
  ["an answer too large to store", 200, { "Cache-Control": "max-age=60", "X-Filler": "1" }, {}, "x".repeat(2000)],
  [
    "an answer that is not stored for its request's sake",
    200,
    { "Cache-Control": "max-age=60" },
    { Cookie: "a=b" },
    "one",
  ],
  ["400", 400, {}, {}, "one"],
  ["429", 429, {}, {}, "one"],
  ["503", 503, {}, {}, "one"],
];
for (const [what, status, fields, asked, next] of FOLLOWED) {
  test(`a stale answer that is followed by ${what} is ${next === "one" ? "kept" : "over"}`, async (t) => {
    const service = await startCachedService(
      t,
      (_request, response) => {
        const isFirst = service.asked.length === 1;
        const control = "max-age=0, stale-while-revalidate=86400, stale-if-error=86400";
        if (isFirst) response.writeHead(200, { "Cache-Control": control }).end("one");
        else response.writeHead(status, fields).end("X-Filler" in fields ? "x".repeat(2000) : "two");
      },
      {},
      { store: { entryBytes: 1000 } },
    );
    await service.get("/orders");
    assert.equal((await service.get("/orders", asked)).text, "one");
    await eventually("it is fetched again", () => service.asked.length === 2);
    if (next !== "one") {
      await eventually("it is over", async () => (await service.get("/orders", asked)).text === next);
      return;
    }
    // Another path goes upstream and back: by then what came before is here.
    for (let i = 0; i < 2; i++) await service.get("/stats");
    assert.equal((await service.get("/orders", asked)).text, next);
  });
}

for (const path of ["/orders", "/stats"]) {
  const control = "max-age=60, stale-while-revalidate=600, stale-if-error=600";
  const fields = { "Cache-Control": control, ETag: '"one"' };

  test(`a HEAD of ${path} is not answered with what is stale, but renews it`, async (t) => {
    const service = await startCachedService(t, (_request, response) => {
      const age = service.asked.length === 1 ? "100" : "0";
      response.writeHead(200, { ...fields, Age: age, "Content-Length": 4 }).end("body");
    });
    await service.get(path);
    await service.send("HEAD", path);
    assert.match((await service.get(path)).cache, /^Portico; hit; ttl=\d/);
    assert.deepEqual(
      service.asked.map(({ method }) => method),
      ["GET", "HEAD"],
    );
  });

  for (const how of ["an error", "nothing"]) {
    test(`a HEAD of ${path} whose upstream answers with ${how} is answered with what is stale`, async (t) => {
      const service = await startCachedService(t, (_request, response) => {
        if (service.asked.length === 1) response.writeHead(200, { ...fields, Age: "100" }).end("body");
        else if (how === "nothing") response.destroy();
        else response.writeHead(503).end();
      });
      await service.get(path);
      const { status, cache, headers } = await service.send("HEAD", path);
      assert.deepEqual([status, headers.etag], [200, '"one"']);
      assert.match(cache, /^Portico; hit; fwd=stale/);
    });
  }
}

import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { test } from "node:test";
import { parseDirectives } from "../../src/caching/directives.ts";
import { toFreshness } from "../../src/caching/freshness.ts";
import { findStorable } from "../../src/caching/policy.ts";
import { mayStandIn, reuseOf } from "../../src/caching/reuse.ts";
import { HeaderList } from "../../src/core/headers.ts";
import { startCachedService } from "../support/cached-service.ts";

const NOW = Date.UTC(2026, 0, 1);
const at = (seconds: number): string => new Date(NOW + seconds * 1000).toUTCString();
/** Seconds for which an answer received now is fresh from now on; 0 when it is stale or may not be used unasked. */
const freshFor = (fields: Record<string, string>, options = {}, status = 200): number => {
  const { freshness } = toFreshness(status, HeaderList.from(fields), options, NOW, NOW);
  return freshness.alwaysAsk ? 0 : Math.max(0, (freshness.freshUntilMs - NOW) / 1000);
};

const LIFETIMES: [string, Record<string, string>, number][] = [
  ["s-maxage before max-age", { "Cache-Control": "max-age=1, s-maxage=60" }, 60],
  ["max-age before Expires", { "Cache-Control": "max-age=60", Expires: at(-5) }, 60],
  ["Expires by the response's own clock", { Date: at(-100), Expires: at(-40), Age: "0" }, 0],
  ["Expires and a Date that cannot be read", { Date: "foo", Expires: at(60) }, 60],
  ["Age taken away", { "Cache-Control": "max-age=60", Age: "20" }, 40],
  ["an old Date taken away", { "Cache-Control": "max-age=60", Date: at(-20) }, 40],
  ["Age: -1 ignored", { "Cache-Control": "max-age=60", Age: "-1" }, 60],
  ["Age: 1e9 ignored", { "Cache-Control": "max-age=60", Age: "1e9" }, 60],
  ["a huge Age", { "Cache-Control": "max-age=60", Age: "99999999999999999999" }, 0],
  ["a huge max-age", { "Cache-Control": "max-age=99999999999999999999" }, 2 ** 31],
  ["a quoted max-age", { "Cache-Control": 'max-age="60"' }, 60],
  ["max-age within a quoted string", { "Cache-Control": 'ext="max-age=60"' }, 0],
  ["two different max-age", { "Cache-Control": "max-age=60, max-age=1" }, 1],
  ["max-age that is no number", { "Cache-Control": "max-age=60x", Expires: at(60) }, 0],
  ["max-age with a space before =", { "Cache-Control": "max-age =60", Expires: at(60) }, 0],
  ["a negative max-age", { "Cache-Control": "max-age=-60" }, 0],
  ["an unclosed quote", { "Cache-Control": 'max-age="60' }, 0],
  ["no-cache", { "Cache-Control": "max-age=60, no-cache" }, 0],
  ["no-cache of fields", { "Cache-Control": 'max-age=60, no-cache="a"' }, 60],
  ["Expires: 0", { Expires: "0" }, 0],
  ["a two-digit year in the wrong form", { Expires: "Thu, 18 Aug 50 02:01:18 GMT" }, 0],
  ["a date with another zone", { Expires: "Thu, 18 Aug 2050 02:01:18 UTC" }, 0],
  ["a day that does not exist", { Expires: "Wed, 31 Feb 2050 02:01:18 GMT" }, 0],
  ["CDN-Cache-Control before Cache-Control", { "CDN-Cache-Control": "max-age=60", "Cache-Control": "no-cache" }, 60],
  [
    "CDN-Cache-Control that is no structured field",
    { "CDN-Cache-Control": "max-age=60, &", "Cache-Control": "max-age=5" },
    5,
  ],
  [
    "CDN-Cache-Control with a list in a member of no meaning",
    { "CDN-Cache-Control": 'ext=(a "b)");p, no-cache', "Cache-Control": "max-age=60" },
    0,
  ],
  ["nothing", {}, 0],
  ["fields in a quote that never ends", { "Cache-Control": 'max-age=60, no-cache="a' }, 0],
  ["what are no fields", { "Cache-Control": 'max-age=60, no-cache="a b"' }, 0],
  ["a semicolon for a comma", { "Cache-Control": "max-age=60; no-store" }, 0],
  ["a hexadecimal max-age", { "Cache-Control": "max-age=0x3c" }, 0],
  ["a max-age with a sign", { "Cache-Control": "max-age=+60" }, 0],
  ["a max-age with parts", { "Cache-Control": "max-age=60.0" }, 0],
  ["a max-age in digits of another script", { "Cache-Control": "max-age=\u0666\u0660" }, 0],
  ["an s-maxage without a value, before max-age", { "Cache-Control": "s-maxage, max-age=60" }, 0],
  ["empty members", { "Cache-Control": ",, max-age=60 ,," }, 60],
  ["Expires twice", { Expires: `${at(60)}, ${at(60)}` }, 0],
  ["Expires in ISO 8601", { Expires: "2050-08-18T02:01:18Z" }, 0],
  ["Expires with an offset", { Expires: "Thu, 18 Aug 2050 02:01:18 +0000" }, 0],
  ["Expires without a weekday", { Expires: "18 Aug 2050 02:01:18 GMT" }, 0],
  ["Expires with a month of another language", { Expires: "Thu, 18 Août 2050 02:01:18 GMT" }, 0],
  ["Expires at 24:00", { Expires: "Thu, 18 Aug 2050 24:00:00 GMT" }, 0],
  ["Expires in milliseconds", { Expires: String(NOW + 60_000) }, 0],
  ["Age that is a list", { "Cache-Control": "max-age=60", Age: "20, 50" }, 40],
  ["Age that is empty", { "Cache-Control": "max-age=60", Age: "" }, 60],
  ["Age with parts", { "Cache-Control": "max-age=60", Age: "20.5" }, 60],
  ["a Date to come", { "Cache-Control": "max-age=60", Date: at(1000) }, 60],
];
for (const [what, fields, seconds] of LIFETIMES) {
  test(`lifetime: ${what}`, () => assert.equal(freshFor(fields), seconds));
}

test("a lifetime is guessed only when told to, and never beyond a day", () => {
  const fields = { "Last-Modified": at(-1000) };
  assert.equal(freshFor(fields), 0);
  assert.equal(freshFor(fields, { heuristic: true }), 100);
  assert.equal(freshFor({ "Last-Modified": at(-1e9) }, { heuristic: true }), 86_400);
  assert.equal(freshFor(fields, { heuristic: true }, 302), 0);
});

test("the route's lifetime is for what the upstream says nothing of", () => {
  assert.equal(freshFor({}, { ttlSeconds: 60 }), 60);
  assert.equal(freshFor({ "Cache-Control": "max-age=5" }, { ttlSeconds: 60 }), 5);
  assert.equal(freshFor({ "Cache-Control": "max-age=x" }, { ttlSeconds: 60 }), 0);
  assert.equal(freshFor({}, { ttlSeconds: 60 }, 404), 0);
});

const fresh = (control: string, ageSeconds: number) =>
  toFreshness(200, HeaderList.from({ "Cache-Control": control, Age: String(ageSeconds) }), {}, NOW, NOW).freshness;
for (const [control, ageSeconds, request, wanted] of [
  ["max-age=60", 10, undefined, "use"],
  ["max-age=60", 70, undefined, "ask"],
  ["max-age=60", 10, "no-cache", "ask"],
  ["max-age=60", 10, "no-store", "ask"],
  ["max-age=60", 10, "max-age=5", "ask"],
  ["max-age=60", 10, "max-age=0", "ask"],
  ["max-age=60", 10, "min-fresh=55", "ask"],
  ["max-age=60", 70, "max-stale=20", "use"],
  ["max-age=60", 70, "max-stale", "use"],
  ["max-age=60", 90, "max-stale=20", "ask"],
  ["max-age=60, must-revalidate", 70, "max-stale", "ask"],
  ["s-maxage=60", 70, "max-stale", "ask"],
  ["max-age=60, stale-while-revalidate=30", 70, undefined, "use-and-renew"],
  ["max-age=60, stale-while-revalidate=30", 95, undefined, "ask"],
  ["max-age=60, stale-while-revalidate=30, proxy-revalidate", 70, undefined, "ask"],
] as const) {
  test(`${control} at ${ageSeconds} s, asked with ${request ?? "nothing"}: ${wanted}`, () => {
    const directives = request === undefined ? undefined : parseDirectives(request);
    assert.equal(reuseOf(fresh(control, ageSeconds), directives, NOW), wanted);
  });
}

test("a stale answer stands in for a failure as long as it says, and never when it must be validated", () => {
  assert.equal(mayStandIn(fresh("max-age=60, stale-if-error=30", 80), undefined, NOW), true);
  assert.equal(mayStandIn(fresh("max-age=60, stale-if-error=30", 95), undefined, NOW), false);
  assert.equal(mayStandIn(fresh("max-age=60", 80), parseDirectives("stale-if-error=30"), NOW), true);
  assert.equal(mayStandIn(fresh("max-age=60", 80), undefined, NOW, 30_000), true);
  for (const control of ["max-age=60, stale-if-error=30, must-revalidate", "s-maxage=60, stale-if-error=30"]) {
    assert.equal(mayStandIn(fresh(control, 80), parseDirectives("stale-if-error=30"), NOW, 30_000), false);
  }
});

test("must-understand stores what is understood, and nothing else", () => {
  const isStored = (status: number, control: string): boolean =>
    findStorable({
      requestHeaders: new HeaderList(),
      requestDirectives: undefined,
      response: { status, headers: HeaderList.from({ "Cache-Control": control }), body: null },
      requestedAtMs: NOW,
      receivedAtMs: NOW,
      isPartitioned: false,
      options: {},
    }) !== undefined;
  assert.equal(isStored(200, "max-age=60, no-store, must-understand"), true);
  assert.equal(isStored(299, "max-age=60, no-store, must-understand"), false);
  assert.equal(isStored(299, "max-age=60"), true);
  assert.equal(isStored(206, "max-age=60"), false);
});

test("stale-if-error serves the stored answer while the upstream fails, with 500s or not at all", async (t) => {
  let isFailing: "no" | "status" | "reset" = "no";
  const service = await startCachedService(
    t,
    (_request, response) => {
      if (isFailing === "reset") response.destroy();
      else
        response
          .writeHead(isFailing === "no" ? 200 : 503, { "Cache-Control": "max-age=0, stale-if-error=60" })
          .end("kept");
    },
    { staleIfUnreachableSeconds: 0 },
  );
  await service.get("/orders");
  for (const how of ["status", "reset"] as const) {
    isFailing = how;
    const got = await service.get("/orders");
    assert.deepEqual([got.status, got.text], [200, "kept"]);
    assert.match(got.cache, /hit; fwd=stale/);
    assert.equal((await service.get("/stats")).status, how === "status" ? 503 : 502);
  }
});

test("a 304 about another answer than the one stored is not believed", async (t) => {
  const service = await startCachedService(t, (request, response) => {
    const isAsked = request.headers["if-none-match"] !== undefined;
    response.writeHead(isAsked ? 304 : 200, { "Cache-Control": "no-cache", ETag: isAsked ? '"other"' : '"one"' });
    response.end(isAsked ? undefined : `body ${service.asked.length}`);
  });
  await service.get("/orders");
  assert.equal((await service.get("/orders")).text, "body 3");
});

test("a 304 renews the stored fields, and may tell the length of what it spares", async (t) => {
  let version = 0;
  const service = await startCachedService(t, (request, response) => {
    const isAsked = request.headers["if-none-match"] === '"one"';
    const fields = { "Cache-Control": "max-age=0", ETag: '"one"', "X-Version": String(++version) };
    response.writeHead(isAsked ? 304 : 200, { ...fields, "Content-Length": isAsked ? "99" : "4" });
    response.end(isAsked ? undefined : "body");
  });
  await service.get("/orders");
  const got = await service.get("/orders");
  assert.deepEqual(
    [got.status, got.text, got.headers["x-version"], got.headers["content-length"]],
    [200, "body", "2", "4"],
  );
});

test("variants are compared in a normal form, and many are kept", async (t) => {
  const service = await startCachedService(t, (request, response) => {
    response.writeHead(200, { "Cache-Control": "max-age=60", Vary: "Accept-Language, X-Kind" });
    response.end(`${request.headers["accept-language"]} ${request.headers["x-kind"]}`);
  });
  for (let i = 0; i < 50; i++) await service.get("/orders", { "X-Kind": String(i), "Accept-Language": "en, de" });
  for (let i = 0; i < 50; i++) {
    const got = await service.get("/orders", { "X-Kind": ` ${i} `, "Accept-Language": "DE,EN" });
    assert.equal(got.text, `en, de ${i}`);
  }
  assert.equal(service.asked.length, 50);
});

test("what confirms a stored answer says anew whose it is, and how it is tagged", async (t) => {
  const said = { "Cache-Control": "max-age=0", "Cache-Tag": "old" };
  const service = await startCachedService(t, (request, response) => {
    const isAsked = request.headers["if-none-match"] === '"one"';
    response.writeHead(isAsked ? 304 : 200, { ...said, ETag: '"one"' }).end(isAsked ? undefined : "body");
  });
  await service.get("/orders");
  Object.assign(said, { "Cache-Control": "max-age=60", "Cache-Tag": "new" });
  await service.get("/orders");
  assert.match((await service.get("/orders")).cache, /hit/);
  await service.gateway.cache.purge({ kind: "tag", value: "new", soft: false });
  assert.match((await service.get("/orders")).cache, /uri-miss/);
  Object.assign(said, { "Cache-Control": "private, max-age=60" });
  await service.get("/orders", { "Cache-Control": "no-cache" });
  assert.match((await service.get("/orders")).cache, /uri-miss/);
});

test("a HEAD that says an answer is no longer for all takes it away", async (t) => {
  const service = await startCachedService(t, (request, response) => {
    const control = request.method === "HEAD" ? "private, max-age=60" : "max-age=0";
    response.writeHead(200, { "Cache-Control": control, ETag: '"one"', "Content-Length": 4 });
    response.end(request.method === "HEAD" ? undefined : "body");
  });
  await service.get("/orders");
  await service.send("HEAD", "/orders");
  assert.match((await service.get("/orders")).cache, /uri-miss/);
});

for (const [what, respond, status, expected] of [
  ["breaks its connections off", (response: ServerResponse) => response.destroy(), 502, "kept"],
  ["does not answer in time", () => {}, 504, "kept"],
  ["answers nonsense", (response: ServerResponse) => response.socket?.end("nonsense\r\n\r\n"), 502, undefined],
  ["answers with an error of its own", (response: ServerResponse) => response.writeHead(503).end("down"), 503, "down"],
] as const) {
  test(`an upstream that ${what}: a stale answer ${expected === "kept" ? "stands in" : "does not"}`, async (t) => {
    let isFailing = false;
    const service = await startCachedService(
      t,
      (_request, response) => {
        if (isFailing) respond(response);
        else response.writeHead(200, { "Cache-Control": "max-age=0", ETag: '"one"' }).end("kept");
      },
      {},
      {},
      { timeouts: { headersMs: 500 } },
    );
    await service.get("/orders");
    isFailing = true;
    const got = await service.get("/orders");
    assert.equal(got.status, expected === "kept" ? 200 : status);
    if (expected !== undefined) assert.equal(got.text, expected);
  });
}

test("Vary that names no field is never reused, as nobody can tell what it was to vary by", async (t) => {
  for (const vary of ["*", "Accept, *", "Accept Language", "Accept;q=1", "caf\xe9", "(all)"]) {
    const service = await startCachedService(t, (_request, response) => {
      response.writeHead(200, { "Cache-Control": "max-age=60", Vary: vary }).end();
    });
    await service.get("/orders");
    assert.match((await service.get("/orders")).cache, /uri-miss/, vary);
  }
});

test("a request for a stored answer alone is told when there is none", async (t) => {
  const service = await startCachedService(t, (_request, response) => response.end());
  const got = await service.get("/orders", { "Cache-Control": "only-if-cached" });
  assert.deepEqual([got.status, got.cache, service.asked.length], [504, "Portico; detail=only-if-cached", 0]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { startCachedService } from "../support/cached-service.ts";

type Fields = Record<string, string | string[]>;
/** Of the upstream: status, fields, body. The last one is given to all who come after. */
type Said = [status: number, fields: Fields, body?: string];
/** A request, and what its client is given. */
type Asked = [fields: Fields, status: number, text: string, method?: string];

const fresh = { "Cache-Control": "max-age=60" };
const stale = { "Cache-Control": "max-age=10", Age: "20" };
const modified = "Wed, 11 Sep 2013 13:36:55 GMT";
const before = "Wed, 11 Sep 2013 13:36:54 GMT";

/**
 * What the regression suites of other caches hold them to, and what went wrong in them once, as far as it follows from
 * RFC 9110 and 9111.
 */
const HELD: [from: string, what: string, said: Said[], asked: Asked[], reached: number][] = [
  [
    "Varnish c00004",
    "an absent field is no empty one, and space around a value is nothing",
    [
      [200, { ...fresh, Vary: "X-Foo" }, "absent"],
      [200, { ...fresh, Vary: "X-Foo" }, "empty"],
      [200, { ...fresh, Vary: "X-Foo" }, "one"],
    ],
    [
      [{}, 200, "absent"],
      [{ "X-Foo": "" }, 200, "empty"],
      [{ "X-Foo": "1" }, 200, "one"],
      [{ "X-Foo": "  1 " }, 200, "one"],
      [{ "X-Foo": "  " }, 200, "empty"],
      [{}, 200, "absent"],
    ],
    3,
  ],
  [
    "Varnish c00026",
    "a tag counts before a date",
    [[200, { ...fresh, ETag: '"a"', "Last-Modified": modified }, "body"]],
    [
      [{}, 200, "body"],
      [{ "If-None-Match": '"a"', "If-Modified-Since": before }, 304, ""],
      [{ "If-None-Match": '"b"', "If-Modified-Since": modified }, 200, "body"],
    ],
    1,
  ],
  [
    "Varnish r04245",
    "a HEAD is no answer to a GET that comes after it",
    [[200, fresh, "body"]],
    [
      [{}, 200, "", "HEAD"],
      [{}, 200, "body"],
      [{}, 200, "", "HEAD"],
    ],
    2,
  ],
  [
    "nginx proxy_cache_control",
    "a lifetime beyond all numbers is a long one",
    [
      [200, { "Cache-Control": "max-age=9223372036854775808" }, "one"],
      [200, {}, "two"],
    ],
    [
      [{}, 200, "one"],
      [{}, 200, "one"],
    ],
    1,
  ],
  [
    "nginx proxy_cache_vary",
    "white space and empty members of a list mean nothing",
    [
      [200, { ...fresh, Vary: ",, Accept-encoding , ," }, "one"],
      [200, { ...fresh, Vary: "Accept-Encoding" }, "two"],
    ],
    [
      [{ "Accept-Encoding": "foo, bar" }, 200, "one"],
      [{ "Accept-Encoding": "foo,,  ,bar , " }, 200, "one"],
      [{ "Accept-Encoding": "foobar" }, 200, "two"],
    ],
    2,
  ],
  [
    "nginx not_modified",
    "a date far ahead is later than any, and what is no date is none",
    [[200, { ...fresh, "Last-Modified": modified }, "body"]],
    [
      [{}, 200, "body"],
      [{ "If-Modified-Since": "Fri, 25 Feb 2174 09:42:23 GMT" }, 304, ""],
      [{ "If-Modified-Since": "0" }, 200, "body"],
      [{ "If-Modified-Since": "Fri, 31 Feb 2174 09:42:23 GMT" }, 200, "body"],
    ],
    1,
  ],
  [
    "nginx not_modified",
    "a condition on what the origin has is the origin's to judge",
    [
      [200, { ...fresh, ETag: '"a"' }, "body"],
      [412, {}, "no"],
    ],
    [
      [{}, 200, "body"],
      [{ "If-Match": '"b"' }, 412, "no"],
      [{}, 200, "body"],
    ],
    2,
  ],
  [
    "HAProxy",
    "a directive with an empty argument is a directive",
    [
      [200, { "Cache-Control": "no-store=, max-age=60" }, "one"],
      [200, { "Cache-Control": "private=, max-age=60" }, "two"],
      [200, { "Cache-Control": "max-age=" }, "three"],
      [200, fresh, "four"],
    ],
    [
      [{}, 200, "one"],
      [{}, 200, "two"],
      [{}, 200, "three"],
      [{}, 200, "four"],
    ],
    4,
  ],
  [
    "HAProxy if-modified-since",
    "without a date of its change an answer is as old as its Date",
    [[200, { "Cache-Control": "max-age=999999999", Date: modified }, "body"]],
    [
      [{}, 200, "body"],
      [{ "If-Modified-Since": before }, 200, "body"],
      [{ "If-Modified-Since": modified }, 304, ""],
    ],
    1,
  ],
  [
    "HAProxy vary_accept_encoding",
    "a coding that is refused is another wish",
    [
      [200, { ...fresh, Vary: "Accept-Encoding" }, "one"],
      [200, { ...fresh, Vary: "Accept-Encoding" }, "two"],
    ],
    [
      [{ "Accept-Encoding": ["br", "gzip"] }, 200, "one"],
      [{ "Accept-Encoding": "GZIP,br,gzip" }, 200, "one"],
      [{ "Accept-Encoding": "br, gzip;q=0" }, 200, "two"],
    ],
    2,
  ],
  [
    "Apache Traffic Server cache-range-response",
    "a part of what is stale is cut once it is confirmed",
    [
      [200, { ...stale, ETag: '"a"' }, "0123456789"],
      [304, { ...fresh, ETag: '"a"' }],
    ],
    [
      [{}, 200, "0123456789"],
      [{ Range: "bytes=0-1" }, 206, "01"],
    ],
    2,
  ],
  [
    "Apache Traffic Server negative-revalidating",
    "what stands in for an error may be had already",
    [
      [200, { "Cache-Control": "max-age=10, stale-if-error=60", Age: "20", ETag: '"a"' }, "body"],
      [503, {}, "down"],
    ],
    [
      [{}, 200, "body"],
      [{ "If-None-Match": '"a"' }, 304, ""],
      [{}, 200, "body"],
    ],
    3,
  ],
  [
    "Apache Traffic Server targeted-cache-control",
    "an empty targeted field says nothing",
    [
      [200, { ...fresh, "CDN-Cache-Control": "" }, "one"],
      [200, {}, "two"],
    ],
    [
      [{}, 200, "one"],
      [{}, 200, "one"],
    ],
    1,
  ],
  [
    "Squid bug 2833",
    "a 304 to one client's own condition is nobody else's answer",
    [
      [304, { ...fresh, ETag: '"a"' }],
      [200, fresh, "whole"],
    ],
    [
      [{ "If-None-Match": '"a"' }, 304, ""],
      [{}, 200, "whole"],
    ],
    2,
  ],
  [
    "Squid bug 4428",
    "a malformed stale-if-error allows nothing",
    [
      [200, { "Cache-Control": "max-age=10, stale-if-error=abc", Age: "20", ETag: '"a"' }, "body"],
      [503, {}, "down"],
    ],
    [
      [{}, 200, "body"],
      [{}, 503, "down"],
    ],
    2,
  ],
  [
    "Squid CVE-2016-10002",
    "a confirmation that sets a cookie is for one client alone",
    [
      [200, { ...stale, ETag: '"a"' }, "one"],
      [304, { ...fresh, ETag: '"a"', "Set-Cookie": "id=1" }],
      [200, fresh, "two"],
    ],
    [
      [{}, 200, "one"],
      [{}, 200, "one"],
      [{}, 200, "two"],
    ],
    3,
  ],
];
for (const [from, what, said, asked, reached] of HELD) {
  test(`${what} (${from})`, async (t) => {
    const service = await startCachedService(t, ({ method }, response) => {
      const [status, fields, body] = said[Math.min(service.asked.length, said.length) - 1] as Said;
      const length = body === undefined ? {} : { "Content-Length": body.length };
      response.writeHead(status, { ...fields, ...length }).end(method === "HEAD" ? undefined : body);
    });
    for (const [i, [fields, status, text, method = "GET"]] of asked.entries()) {
      const got = await service.send(method, "/orders", fields);
      assert.deepEqual([got.status, got.text], [status, text], `request ${i + 1}: ${got.cache}`);
    }
    assert.equal(service.asked.length, reached);
  });
}

// Apache Traffic Server, and Varnish r03169 for the coding.
test("what a 304 repeats is not there twice, and what speaks of its connection or its coding is not kept", async (t) => {
  const service = await startCachedService(t, ({ headers }, response) => {
    const isKnown = headers["if-none-match"] !== undefined;
    const hop = isKnown ? { Connection: "X-Hop", "X-Hop": "1", "Content-Encoding": "gzip" } : {};
    response.writeHead(isKnown ? 304 : 200, { ...stale, ...hop, ETag: '"a"', "X-Foo": ["a", "b"] });
    response.end(isKnown ? undefined : "body");
  });
  for (let i = 0; i < 4; i++) {
    const { headers, text } = await service.get("/orders");
    assert.deepEqual([text, headers["x-foo"]], ["body", "a, b"]);
    assert.deepEqual([headers["x-hop"], headers["content-encoding"]], [undefined, undefined]);
  }
});

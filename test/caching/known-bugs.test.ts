import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import { type Got, startCachedService } from "../support/cached-service.ts";
import { eventually } from "../support/eventually.ts";

type Fields = Record<string, string | string[]>;
type Said = readonly [status: number, fields: Fields, body?: string];
type Asked = readonly [method: string, fields?: Fields];

const GET: Asked = ["GET"];
const fresh = "max-age=60";
const whileRenewed = "max-age=0, stale-while-revalidate=60";
const ETag = '"one"';
const isAsked = ({ headers }: IncomingMessage): boolean => headers["if-none-match"] === ETag;
/** Says the one at first, and the other to who asks whether it still holds. */
const confirming =
  (fields: Fields, confirmed: Fields, body = "kept") =>
  (request: IncomingMessage): Said =>
    isAsked(request) ? [304, { ETag, ...confirmed }] : [200, { ETag, ...fields }, body];
const always =
  (fields: Fields, body = "kept", status = 200) =>
  (): Said => [status, fields, body];
const later = (ms: number): string => new Date(Date.now() + ms).toUTCString();

const how = ({ cache }: Got): string =>
  /hit; fwd=stale/.test(cache)
    ? "stale"
    : /; hit/.test(cache)
      ? "hit"
      : /fwd-status=304/.test(cache)
        ? "valid"
        : "miss";
const text = (got: Got): string => `${how(got)} ${got.status} ${got.text}`;
const field = (name: string) => (got: Got) => `${how(got)} ${got.headers[name]}`;

/**
 * What other caches have got wrong, or have tests for because it is easily got wrong. In brackets where it is from: its bug
 * list or its own tests.
 */
const IDEAS: [
  idea: string,
  said: (request: IncomingMessage, count: number) => Said,
  asked: readonly Asked[],
  expected: readonly string[],
  seen?: (got: Got) => string,
][] = [
  [
    "a confirmation in the background without Vary keeps variants apart (undici)",
    (request) =>
      isAsked(request)
        ? [304, { ETag, "Cache-Control": whileRenewed }]
        : [200, { ETag, "Cache-Control": whileRenewed, Vary: "X-Kind" }, String(request.headers["x-kind"])],
    [["GET", { "X-Kind": "a" }], ["GET", { "X-Kind": "a" }], GET, ["GET", { "X-Kind": "b" }]],
    ["miss 200 a", "hit 200 a", "miss 200 undefined", "miss 200 b"],
  ],
  ...["private", "no-store"].map(
    (control) =>
      [
        `a confirmation in the background that says ${control} ends the serving of stale (undici)`,
        confirming({ "Cache-Control": whileRenewed }, { "Cache-Control": control }),
        [GET, GET, GET],
        ["miss 200 kept", "hit 200 kept", "miss 200 kept"],
      ] as (typeof IDEAS)[number],
  ),
  ...["no-cache", "max-age=0, must-revalidate"].map(
    (control) =>
      [
        `a confirmation in the background that says ${control} is asked about from then on (undici)`,
        confirming({ "Cache-Control": whileRenewed }, { "Cache-Control": control }),
        [GET, GET, GET],
        ["miss 200 kept", "hit 200 kept", "valid 200 kept"],
      ] as (typeof IDEAS)[number],
  ),
  [
    "a confirmation makes it fresh for those after (undici, hishel)",
    confirming({ "Cache-Control": "max-age=0" }, { "Cache-Control": fresh }),
    [GET, GET, GET],
    ["miss 200 kept", "valid 200 kept", "hit 200 kept"],
  ],
  [
    "what a client has already is told to it alone, and not stored for others (undici)",
    confirming({ "Cache-Control": fresh }, { "Cache-Control": fresh }),
    [["GET", { "If-None-Match": ETag }], GET],
    ["valid 304 ", "miss 200 kept"],
  ],
  [
    "what is fetched since a client wants it younger is stored (undici)",
    (_request, count) => [200, { "Cache-Control": fresh, Age: count === 1 ? "30" : "0" }, `answer ${count}`],
    [GET, ["GET", { "Cache-Control": "max-age=10" }], GET],
    ["miss 200 answer 1", "miss 200 answer 2", "hit 200 answer 2"],
  ],
  [
    "Vary in several lines counts as a whole (undici, Symfony)",
    always({ "Cache-Control": fresh, Vary: ["X-A, X-B", "X-C"] }),
    [
      ["GET", { "X-C": "1" }],
      ["GET", { "X-C": "2" }],
      ["GET", { "X-B": "1", "X-C": "1" }],
      ["GET", { "X-C": "2" }],
    ],
    ["miss 200 kept", "miss 200 kept", "miss 200 kept", "hit 200 kept"],
  ],
  [
    "a selecting field in several lines counts as a whole (HAProxy)",
    ({ headers }) => [200, { "Cache-Control": fresh, Vary: "Accept-Encoding" }, String(headers["accept-encoding"])],
    [
      ["GET", { "Accept-Encoding": ["gzip", "br"] }],
      ["GET", { "Accept-Encoding": "gzip" }],
    ],
    ["miss 200 gzip, br", "miss 200 gzip"],
  ],
  [
    "names of fields with blanks around them are withheld (undici)",
    always({ "Cache-Control": 'max-age=60, no-cache=" X-A , X-B "', "X-A": "1" }),
    [GET, GET],
    ["miss 1", "hit undefined"],
    field("x-a"),
  ],
  [
    "a Date to come does not make an answer younger (undici)",
    always({ "Cache-Control": "max-age=10", Date: later(3_600_000), Age: "15" }),
    [GET, GET],
    ["miss 200 kept", "miss 200 kept"],
  ],
  [
    "who asked nothing is not told 304 by what the cache asked (Souin)",
    confirming({ "Cache-Control": "max-age=0, must-revalidate" }, {}),
    [GET, GET],
    ["miss 200 kept", "valid 200 kept"],
  ],
  [
    "a HEAD before leaves no answer without a body (Souin, Varnish)",
    always({ "Cache-Control": fresh }),
    [["HEAD"], GET, ["HEAD"]],
    ["miss 200 ", "miss 200 kept", "hit 200 "],
  ],
  [
    "a part that nobody asked for is not stored (Souin)",
    always({ "Cache-Control": fresh, "Content-Range": "bytes 0-3/9" }, "kept", 206),
    [GET, GET],
    ["miss 206 kept", "miss 206 kept"],
  ],
  [
    "the upstream is asked about what is stored, not about what the client has (http-cache-semantics)",
    ({ headers }) => [200, { ETag, "Cache-Control": "max-age=0" }, String(headers["if-none-match"])],
    [GET, ["GET", { "If-None-Match": '"two", "three"' }]],
    ["miss 200 undefined", `miss 200 ${ETag}`],
  ],
  [
    "once confirmed, it is held against what the client has (http-cache-semantics)",
    confirming({ "Cache-Control": "max-age=0" }, {}),
    [GET, ["GET", { "If-None-Match": ETag }], ["GET", { "If-None-Match": '"two"' }]],
    ["miss 200 kept", "valid 304 ", "valid 200 kept"],
  ],
  [
    "a confirmation changes neither coding nor range (hishel)",
    confirming({ "Cache-Control": "max-age=0", "Content-Encoding": "x-one" }, { "Content-Encoding": "x-two" }),
    [GET, GET],
    ["miss x-one", "valid x-one"],
    field("content-encoding"),
  ],
  [
    "a redirect in place of a confirmation is passed (hishel)",
    (request) => (isAsked(request) ? [302, { Location: "/" }] : [200, { ETag, "Cache-Control": "max-age=0" }, "kept"]),
    [GET, GET],
    ["miss 200 kept", "miss 302 "],
  ],
  [
    "fields in several lines are replaced by a confirmation, not doubled (http-cache for Rust)",
    confirming({ "Cache-Control": "max-age=0", "X-A": ["1", "2"] }, { "X-A": ["3", "4"] }),
    [GET, GET],
    ["miss 1, 2", "valid 3, 4"],
    field("x-a"),
  ],
  [
    "a range of what was not found is not found either (Envoy)",
    always({ "Cache-Control": fresh }, "0123456789", 404),
    [GET, GET, ["GET", { Range: "bytes=0-1" }]],
    ["miss 404 0123456789", "hit 404 0123456789", "miss 404 0123456789"],
  ],
  [
    "what came in chunks has a length once it is confirmed (Envoy)",
    confirming({ "Cache-Control": "max-age=0", "Transfer-Encoding": "chunked" }, {}),
    [GET, GET],
    ["miss 4", "valid 4"],
    field("content-length"),
  ],
  [
    "what has no body can be confirmed (Envoy)",
    confirming({ "Cache-Control": "max-age=0", "Content-Length": "0" }, {}, ""),
    [GET, GET],
    ["miss 200 ", "valid 200 "],
  ],
  [
    "If-None-Match is decided alone, whatever the date beside it (Symfony, Rack::Cache)",
    always({ "Cache-Control": fresh, ETag, "Last-Modified": later(-1000) }),
    [
      GET,
      ["GET", { "If-None-Match": '"two"', "If-Modified-Since": later(0) }],
      ["GET", { "If-None-Match": ETag, "If-Modified-Since": later(-9e9) }],
    ],
    ["miss 200 kept", "hit 200 kept", "hit 304 "],
  ],
  [
    "a private answer is confirmed to the client that has it (Symfony, Rack::Cache)",
    confirming({ "Cache-Control": "private" }, { "Cache-Control": "private" }),
    [GET, ["GET", { "If-None-Match": ETag }]],
    ["miss 200 kept", "valid 304 "],
  ],
  [
    "an error it stands in for makes it no younger (Symfony)",
    (_request, count) =>
      count === 1
        ? [200, { "Cache-Control": "max-age=10, stale-if-error=10", Age: "15" }, "kept"]
        : [500, {}, "failed"],
    [GET, GET, GET],
    ["miss 15", "stale 15", "stale 15"],
    field("age"),
  ],
  [
    "a lifetime of s-maxage is not outlived, whatever else is said (Symfony, Cloudflare, Envoy)",
    (_request, count) =>
      count === 1
        ? [200, { "Cache-Control": "s-maxage=10, stale-if-error=60, stale-while-revalidate=60", Age: "15" }, "kept"]
        : [500, {}, "failed"],
    [GET, ["GET", { "Cache-Control": "max-stale" }]],
    ["miss 200 kept", "miss 500 failed"],
  ],
  [
    "a cookie of a private answer reaches its client (Rack::Cache)",
    always({ "Cache-Control": "private, max-age=60", "Set-Cookie": "a=b" }),
    [GET, GET],
    ["miss a=b", "miss a=b"],
    field("set-cookie"),
  ],
  [
    "only what was stored has an age (Kong)",
    always({ "Cache-Control": fresh }),
    [GET, GET],
    ["miss undefined", "hit 0"],
    field("age"),
  ],
];

test("what other caches have got wrong", async (t) => {
  const counts = new Map<string, number>();
  const service = await startCachedService(t, (request, response) => {
    const place = Number(/\d+$/.exec(request.url ?? "")?.[0]);
    const count = (counts.get(request.url ?? "") ?? 0) + 1;
    counts.set(request.url ?? "", count);
    const [status, fields, body] = (IDEAS[place] as (typeof IDEAS)[number])[1](request, count);
    response.writeHead(status, fields).end(request.method === "HEAD" || status === 304 ? undefined : body);
  });
  for (const [place, [idea, , asked, expected, seen = text]] of IDEAS.entries()) {
    await t.test(idea, async () => {
      const got: string[] = [];
      for (const [method, fields] of asked) {
        const answer = await service.send(method, `/orders/${place}`, fields);
        got.push(seen(answer));
        // Served stale, it is renewed behind.
        await eventually("nothing is under way", () => service.gateway.cache.flights.size === 0);
      }
      assert.deepEqual(got, expected);
    });
  }
});

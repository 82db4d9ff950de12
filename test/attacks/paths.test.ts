import assert from "node:assert/strict";
import { test } from "node:test";
import type { RouteOptions } from "../../src/config/schema.ts";
import { sendRaw } from "../support/raw.ts";
import { startRawGateway } from "../support/raw-gateway.ts";

// ATTACKS C 21 and 22, B 19, F 44: who is asked for a key, and what the service gets to see, is decided over one path.

const route: Partial<RouteOptions> = {
  operations: { guarded: { plugins: [{ "api-key": { header: "x-key", keys: { "the key": "ann" } } }] } },
};
const get = (target: string, fields = ""): string => `GET ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
const pathOf = (request: string): string => (request.split(" ")[1] ?? "").split("?")[0] ?? "";

/** How a careless server may read a path: everything that it is known to undo, undone. `%2F` is a byte of a segment. */
function readCarelessly(path: string): string {
  const decoded = path.replaceAll(/%(2e|5c|00|3b)/gi, (code) => decodeURIComponent(code));
  const segments = (decoded.replaceAll("\\", "/").split("\0")[0] ?? "").split("/");
  const kept: string[] = [];
  for (const segment of segments.map((one) => one.split(";")[0] ?? "")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  return `/${kept.join("/")}`;
}

const WAYS_AROUND = [
  "/guarded",
  "/guarded/",
  "/guarded?x",
  "/guarded;x",
  "/guarded;x=1/",
  "/;/guarded",
  "/;x/guarded",
  "//guarded",
  "///guarded",
  "/./guarded",
  "/%2e/guarded",
  "/x/../guarded",
  "/x/..;/guarded",
  "/x/%2e%2e/guarded",
  "/x%2f..%2fguarded",
  "/x\\..\\guarded",
  "/x%5c..%5cguarded",
  "/%5cguarded",
  "/%67uarded",
  "/%2567uarded",
  "/%252e%252e/guarded",
  "/x/%252e%252e/guarded",
  "/guarded%00",
  "/guarded%00.css",
  "/guarded%20",
  "/guarded/.",
  "/guarded/x/..",
  "/%c0%ae%c0%ae/guarded",
  "/%e0%80%afguarded",
  "/\xffguarded",
  "/guarded#x",
  "http://a/guarded",
  "http://a//guarded",
];

test("no spelling of a guarded path reaches the service without its key", async (t) => {
  const { base, upstream } = await startRawGateway(t, { route });
  for (const target of WAYS_AROUND) {
    const { statuses } = await sendRaw(base, get(target), { answers: 1 });
    assert.ok([200, 400, 401, 404].includes(statuses[0] ?? 0), `${target}: ${statuses}`);
  }
  for (const request of upstream.requests) assert.notEqual(readCarelessly(pathOf(request)), "/guarded", request);
});

test("with its key each spelling that is taken reaches the service as the one normal form", async (t) => {
  const { base, upstream } = await startRawGateway(t, { route });
  for (const target of ["/guarded", "/%67uarded", "/guarde%64", "http://a/guarded"]) {
    assert.deepEqual((await sendRaw(base, get(target, "X-Key: the key\r\n"), { answers: 1 })).statuses, [200], target);
  }
  assert.deepEqual(upstream.requests.map(pathOf), Array(4).fill("/guarded"));
});

test("what stands in a path parameter stays in its segment", async (t) => {
  const { base, upstream } = await startRawGateway(t, { route });
  const values = [
    "..",
    "%2e%2e",
    ".%2e",
    "a%2f..%2fb",
    "%2f%2fb",
    "%00",
    "a%0d%0ab",
    "%c3%a9",
    "e%cc%81",
    "a".repeat(8_000),
  ];
  for (const value of values) {
    const { statuses } = await sendRaw(base, get(`/${value}`), { answers: 1 });
    assert.ok([200, 400, 404].includes(statuses[0] ?? 0), `${value}: ${statuses}`);
  }
  const paths = upstream.requests.map(pathOf);
  assert.ok(paths.length >= 3);
  for (const path of paths) {
    assert.match(path, /^\/[^/]+$/);
    assert.notEqual(readCarelessly(path), "/");
  }
  assert.ok(paths.includes("/%C3%A9") && paths.includes("/e%CC%81"), "two names that look alike are two names");
});

test("a thousand ranges and ten thousand query keys are one request like others, or none", async (t) => {
  const { base, upstream } = await startRawGateway(t, { route });
  const ranges = `Range: bytes=${Array(1_000).fill("0-").join(",")}\r\n`;
  const keys = Array.from({ length: 10_000 }, (_, i) => `k${i}`).join("&");
  assert.deepEqual((await sendRaw(base, get("/a", ranges), { answers: 1 })).statuses, [200]);
  assert.deepEqual((await sendRaw(base, get(`/a?${keys}`), { answers: 1 })).statuses, [431]);
  assert.deepEqual((await sendRaw(base, get(`/a?${keys.slice(0, 30_000)}`), { answers: 1 })).statuses, [200]);
  assert.equal(upstream.requests.length, 2);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { findNormalisedPath } from "../../src/routing/normalise.ts";

const REFUSED = [
  "/a/../b",
  "/a/%2e%2e/b",
  "/a/..%2fb",
  "/a/..%2Fb",
  "/..;/b",
  "/a/..;x/b",
  "/./a",
  "/a\\b",
  "/a%5cb",
  "/x%5c..%5cadmin",
  "/a/%252e%252e/b",
  "/a/%252e%252e%252fb",
  "/a%00b",
  "/a%0d%0ab",
  "/%ff",
  "/%c0%ae%c0%ae/b",
  "/%",
  "/a#b",
  "*",
  "http://host/a",
  "",
  "a",
  "/a%2f..%2fb",
  "/%2e",
  "/é",
];
const KEPT = [
  "/",
  "/a",
  "/a/",
  "/a%2Fb",
  "/a;x=1",
  "/a.b",
  "/a..b",
  "/...",
  "/%C3%A9",
  "/a%20b",
  "/a$b",
  "/a%24b",
  "/a%252Fb",
  "/a//b",
  "//a",
];

for (const path of REFUSED) {
  test(`${JSON.stringify(path)} is refused: readers are known to differ`, () => {
    assert.equal(findNormalisedPath(path), undefined);
  });
}

for (const path of KEPT) {
  test(`${path} is its own normal form`, () => assert.equal(findNormalisedPath(path), path));
}

test("unreserved characters are decoded, and hex digits are upper case", () => {
  assert.equal(findNormalisedPath("/%61%2d%7e/%c3%a9%2f"), "/a-~/%C3%A9%2F");
  assert.equal(findNormalisedPath('/{a}"'), "/%7Ba%7D%22");
});

const piece = fc.constantFrom(
  "a",
  ".",
  "..",
  "%2e",
  "%2F",
  "%252e",
  "%5c",
  ";",
  "/",
  "%41",
  "%c3%a9",
  "$",
  "{",
  "%00",
  "~",
);

test("the normal form of a normal form is itself", () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const once = findNormalisedPath(`/${pieces.join("")}`);
      if (once !== undefined) assert.equal(findNormalisedPath(once), once);
    }),
    { numRuns: 2_000 },
  );
});

test("no segment of a normal form is a dot segment, however often it is decoded", () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const path = findNormalisedPath(`/${pieces.join("")}`);
      if (path === undefined) return;
      const decoded = decodeURIComponent(path);
      for (const segment of decoded.split(/[/\\]/)) assert.ok(!/^\.{1,2}(;|$)/.test(segment), `${path} -> ${segment}`);
    }),
    { numRuns: 2_000 },
  );
});

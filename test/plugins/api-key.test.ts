import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { startSecuredGateway } from "../support/secured-gateway.ts";

const keys = { "key-of-ada": "ada" };

test("a request without a key is refused before the upstream is called, and is told how to send one", async (t) => {
  const { get, seen } = await startSecuredGateway(t, [{ headerKey: [] }], {
    security: { headerKey: { "api-key": { keys } } },
  });
  const answer = await get();
  assert.deepEqual([answer.status, answer.code], [401, "API_KEY_MISSING"]);
  assert.equal(answer.challenge, 'ApiKey in="header", name="x-key"');
  assert.equal((await get({ "X-Key": "wrong" })).code, "API_KEY_INVALID");
  assert.equal((await get({ "X-Key": "" })).code, "API_KEY_MISSING");
  assert.equal(seen.length, 0);
});

for (const [scheme, headers, target] of [
  ["headerKey", { "X-Key": "key-of-ada" }, "/things?limit=2"],
  ["queryKey", {}, "/things?key=key-of-ada&limit=2"],
  ["cookieKey", { Cookie: "session=key-of-ada" }, "/things?limit=2"],
] as const) {
  test(`a right key in the place of ${scheme} names the consumer to the upstream, which never sees the key`, async (t) => {
    const { get, seen } = await startSecuredGateway(t, [{ [scheme]: [] }], {
      security: { [scheme]: { "api-key": { keys } } },
    });
    assert.equal((await get(headers, target)).status, 200);
    assert.equal(seen[0]?.headers["x-consumer-name"], "ada");
    assert.equal(seen[0]?.url, "/things?limit=2");
    assert.doesNotMatch(JSON.stringify(seen), /key-of-ada/);
  });
}

test("other cookies stay when the one with the key is taken out", async (t) => {
  const { get, seen } = await startSecuredGateway(t, [{ cookieKey: [] }], {
    security: { cookieKey: { "api-key": { keys } } },
  });
  await get({ Cookie: "a=1; session=key-of-ada; b=2" });
  assert.equal(seen[0]?.headers.cookie, "a=1; b=2");
});

test("the upstream sees the key when the route says so", async (t) => {
  const { get, seen } = await startSecuredGateway(t, [{ headerKey: [] }], {
    security: { headerKey: { "api-key": { keys, forwardCredential: true } } },
  });
  await get({ "X-Key": "key-of-ada" });
  assert.equal(seen[0]?.headers["x-key"], "key-of-ada");
});

test("a key can be written as its digest, with scopes, groups and an end", async (t) => {
  const digest = createHash("sha256").update("key-of-eve").digest("hex");
  const { get, seen } = await startSecuredGateway(t, [{ headerKey: ["things:read"] }], {
    security: {
      headerKey: {
        "api-key": {
          keys: {
            [`sha256:${digest}`]: { consumer: "eve", groups: ["gold"], scopes: ["things:read"] },
            old: { consumer: "eve", scopes: ["things:read"], expires: "2020-01-01" },
            poor: "bob",
          },
        },
      },
    },
  });
  assert.equal((await get({ "X-Key": "key-of-eve" })).status, 200);
  assert.equal(seen[0]?.headers["x-consumer-groups"], "gold");
  assert.equal((await get({ "X-Key": "old" })).code, "API_KEY_INVALID");
  const poor = await get({ "X-Key": "poor" });
  assert.deepEqual([poor.status, poor.code, poor.challenge], [403, "SCOPE_MISSING", null]);
});

test("two keys in one request are refused, whichever is right", async (t) => {
  const { get, seen } = await startSecuredGateway(t, [{ queryKey: [] }], {
    security: { queryKey: { "api-key": { keys } } },
  });
  assert.equal((await get({}, "/things?key=key-of-ada&key=other")).status, 401);
  assert.equal((await get({}, "/things?k%65y=other&key=key-of-ada")).status, 401);
  assert.equal(seen.length, 0);
});

test("a gateway whose plugin lacks an option, or has a wrong one, does not start", async (t) => {
  for (const [options, complaint] of [
    [{}, /it lacks keys/],
    [{ keys: {} }, /keys/],
    [{ keys, headr: "x" }, /headr is not a key; did you mean header\?/],
    [{ keys, header: "a", query: "b" }, /write one of header, query and cookie/],
    [{ keys: { a: { consumer: "a", expires: "soon" } } }, /write a date such as/],
    [{ keys, phase: "sometime" }, /phase must be one of/],
  ] as const) {
    await assert.rejects(
      startSecuredGateway(t, [{ headerKey: [] }], { security: { headerKey: { "api-key": options } } }),
      complaint,
    );
  }
});

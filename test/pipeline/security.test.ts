import assert from "node:assert/strict";
import { test } from "node:test";
import { startSecuredGateway } from "../support/secured-gateway.ts";

const keyed = (scheme: string, key: string, consumer: string) => ({
  [scheme]: { "api-key": { keys: { [key]: { consumer, scopes: ["read"] } } } },
});
const security = { ...keyed("headerKey", "header", "by-header"), ...keyed("queryKey", "query", "by-query") };

test("either of two schemes is enough, and none of them is 401 with the challenge of each", async (t) => {
  const { get, seen } = await startSecuredGateway(t, [{ headerKey: [] }, { queryKey: [] }], { security });
  assert.equal((await get({ "X-Key": "header" })).status, 200);
  assert.equal((await get({}, "/things?key=query")).status, 200);
  assert.deepEqual(
    seen.map(({ headers }) => headers["x-consumer-name"]),
    ["by-header", "by-query"],
  );
  const refused = await get();
  assert.equal(refused.status, 401);
  assert.equal(refused.challenge, 'ApiKey in="header", name="x-key", ApiKey in="query", name="key"');
});

test("both of two schemes are needed where the spec says and", async (t) => {
  const { get, seen } = await startSecuredGateway(t, [{ headerKey: [], queryKey: [] }], { security });
  assert.equal((await get({ "X-Key": "header" })).status, 401);
  assert.equal((await get({}, "/things?key=query")).status, 401);
  assert.equal((await get({ "X-Key": "header" }, "/things?key=query")).status, 200);
  assert.equal(seen.length, 1);
});

test("a credential that an alternative took is still there for the next one", async (t) => {
  const requirements = [{ headerKey: [], queryKey: [] }, { headerKey: ["read"] }];
  const { get, seen } = await startSecuredGateway(t, requirements, { security });
  assert.equal((await get({ "X-Key": "header" })).status, 200);
  assert.equal(seen[0]?.headers["x-key"], undefined);
});

test("anonymous access is for those who show nothing: a wrong credential is still refused", async (t) => {
  for (const requirements of [
    [{}, { headerKey: [] }],
    [{ headerKey: [] }, {}],
  ]) {
    const { get, seen } = await startSecuredGateway(t, requirements, { security });
    assert.equal((await get()).status, 200);
    assert.equal((await get({ "X-Key": "wrong" })).status, 401);
    assert.equal((await get({ "X-Key": "header" })).status, 200);
    assert.deepEqual(
      seen.map(({ headers }) => headers["x-consumer-name"]),
      [undefined, "by-header"],
    );
    assert.equal(seen[1]?.headers["x-key"], undefined);
  }
});

test("a scope counts for the credential of its own scheme alone", async (t) => {
  const poor = { headerKey: { "api-key": { keys: { header: "poor" } } } };
  const { get } = await startSecuredGateway(t, [{ headerKey: ["read"], queryKey: [] }], {
    security: { ...security, ...poor },
  });
  assert.equal((await get({ "X-Key": "header" }, "/things?key=query")).status, 403);
});

test("a scheme that nothing enforces keeps the gateway from starting", async (t) => {
  await assert.rejects(
    startSecuredGateway(t, [{ headerKey: [] }], {}),
    /nothing enforces the security scheme headerKey/,
  );
  await assert.rejects(
    startSecuredGateway(t, [{ headerKey: [] }], { security: { ...security, unknownKey: { "api-key": {} } } }),
    /unknownKey is not a security scheme/,
  );
});

test("where the service guards itself, it gets the credential", async (t) => {
  const { get, seen } = await startSecuredGateway(t, [{ headerKey: ["read"] }], { security: "upstream" });
  assert.equal((await get({ "X-Key": "anything" })).status, 200);
  assert.equal(seen[0]?.headers["x-key"], "anything");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { startSecuredGateway } from "../support/secured-gateway.ts";

const keys = { a: "ada", b: "bob", c: "carl" };
const route = {
  security: { headerKey: { "api-key": { keys } } },
  plugins: [{ "rate-limit": { rate: "1/day", by: "consumer" } }],
};
const consumers = {
  ada: { groups: ["gold"], plugins: [{ "rate-limit": { rate: "3/day", by: "consumer" } }] },
  carl: { plugins: [{ acl: { allowGroups: ["gold"] } }] },
};
const files = {
  "consumers.yaml":
    "ada:\n  groups: [gold]\n  plugins:\n    - rate-limit: { rate: 3/day, by: consumer }\ncarl:\n  plugins:\n    - acl: { allowGroups: [gold] }\n",
};

for (const [where, value] of [
  ["portico.yaml", consumers],
  ["a file of their own", "consumers.yaml"],
] as const) {
  test(`consumers from ${where} have groups, and their own options in place of the route's`, async (t) => {
    const gateway = await startSecuredGateway(t, [{ headerKey: [] }], route, { files, options: { consumers: value } });
    const send = async (key: string): Promise<number> => (await gateway.get({ "X-Key": key })).status;
    assert.deepEqual([await send("a"), await send("a"), await send("a"), await send("a")], [200, 200, 200, 429]);
    assert.deepEqual([await send("b"), await send("b")], [200, 429]);
    assert.equal(await send("c"), 403);
    assert.equal(gateway.seen[0]?.headers["x-consumer-groups"], "gold");
    assert.equal(gateway.seen.at(-1)?.headers["x-consumer-groups"], undefined);
  });
}

test("what is wrong with a consumer keeps the gateway from starting", async (t) => {
  const start = (value: unknown) =>
    startSecuredGateway(t, [{ headerKey: [] }], route, {
      files: { "consumers.yaml": "ada:\n  group: [gold]\n" },
      options: { consumers: value as string },
    });
  await assert.rejects(start("consumers.yaml"), /consumers\.yaml:2:\d+ ada\.group is not a key; did you mean groups/);
  await assert.rejects(start("nowhere.yaml"), /nowhere\.yaml cannot be read/);
  await assert.rejects(start({ ada: { plugins: [{ "rate-limit": { rate: "fast" } }] } }), /rate/);
  await assert.rejects(start({ ada: { plugins: [{ acl: {} }] } }), /at least one/);
});

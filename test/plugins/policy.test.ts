import assert from "node:assert/strict";
import { test } from "node:test";
import acl from "../../plugins/acl.ts";
import policy from "../../plugins/policy.ts";
import { testPlugin } from "../../src/testing.ts";

const ada = {
  name: "ada",
  groups: ["gold", "staff"],
  scopes: new Set(["pets:read"]),
  claims: { level: 3, org: { id: "acme" }, verified: true },
};

for (const [allow, isAllowed] of [
  ['"gold" in consumer.groups', true],
  ['"lead" in consumer.groups', false],
  ['consumer.name == "ada" && request.method == "GET"', true],
  ["consumer.claims.level >= 3", true],
  ["consumer.claims.level > 3", false],
  ['consumer.claims.org.id == request.params["org"]', true],
  ['"pets:read" in consumer.scopes', true],
  ['request.headers["x-team"] == "blue"', true],
  ['request.query.limit == "2"', true],
  ['request.path.startsWith("/orgs/")', true],
  ['request.address == "192.0.2.1"', true],
  ['operation.id == "test"', true],
  ["consumer.claims.unknown == 1", false],
  ["consumer.constructor != null", false],
  ['request.headers["__proto__"] == ""', false],
  ["consumer.claims.level", false],
  ["has(consumer.claims.verified) && consumer.claims.verified", true],
  ['request.path.matches("^/orgs/[a-z]+$")', true],
  ['consumer.groups.exists(group, group.startsWith("st")) && consumer.groups.all(group, size(group) > 3)', true],
] as const) {
  test(`the policy ${allow} ${isAllowed ? "lets the request pass" : "refuses the request"}`, async () => {
    const { send } = await testPlugin(policy, { allow });
    const { response, passed } = await send({
      target: "/orgs/acme?limit=2",
      headers: { "X-Team": "blue" },
      pathParameters: { org: "acme" },
      consumer: ada,
    });
    assert.equal(response.status, isAllowed ? 200 : 403);
    assert.equal(passed !== undefined, isAllowed);
  });
}

test("a policy that cannot hold is refused when it is read", async () => {
  for (const allow of [
    "consumer.name ==",
    "consumr.name == 'ada'",
    "1 + 1",
    '"a" + "b"',
    "consumer.name + 1 == 2 &&",
    'request.path.matches("(")',
    "consumer.groups.all(a, consumer.groups.exists(b, a == b))",
  ]) {
    await assert.rejects(testPlugin(policy, { allow }), /allow/, allow);
  }
});

test("no request makes a policy take long: regular expressions are linear, and lists are not asked of lists", async () => {
  const { send } = await testPlugin(policy, {
    allow: 'request.query.q.matches("^(a+)+$") || request.query.q.matches("^(a|a)*b$")',
  });
  const before = process.cpuUsage().user;
  assert.equal((await send({ target: `/?q=${"a".repeat(8_000)}!` })).response.status, 403);
  // Backtracking would take longer than the universe has.
  assert.ok(process.cpuUsage().user - before < 5_000_000);
});

test("a policy may be about those whom nobody knows", async () => {
  const { send } = await testPlugin(policy, { allow: 'consumer.name == "" && request.method == "GET"' });
  assert.equal((await send()).response.status, 200);
  assert.equal((await send({ method: "POST" })).response.status, 403);
});

for (const [options, consumer, isAllowed] of [
  [{ allowGroups: ["gold"] }, ada, true],
  [{ allowGroups: ["lead"] }, ada, false],
  [{ allowGroups: ["lead"], allowConsumers: ["ada"] }, ada, true],
  [{ allowGroups: ["gold"], denyConsumers: ["ada"] }, ada, false],
  [{ denyGroups: ["banned"] }, ada, true],
  [{ denyGroups: ["staff"] }, ada, false],
  [{ denyGroups: ["banned"] }, undefined, false],
  [{ allowGroups: ["gold"] }, { name: "gold" }, false],
] as const) {
  test(`acl ${JSON.stringify(options)} ${isAllowed ? "admits" : "refuses"} ${consumer?.name ?? "nobody"}`, async () => {
    const { send } = await testPlugin(acl, options);
    const { response } = await send(consumer === undefined ? {} : { consumer });
    assert.equal(response.status, isAllowed ? 200 : 403);
  });
}

test("an acl without any list is refused when it is read", async () => {
  await assert.rejects(testPlugin(acl, {}), /at least one/);
});

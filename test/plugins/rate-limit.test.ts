import assert from "node:assert/strict";
import { test } from "node:test";
import rateLimit from "../../plugins/rate-limit.ts";
import { testPlugin } from "../../src/testing.ts";
import { startPluginGateway } from "../support/plugin-gateway.ts";
import { startSecuredGateway } from "../support/secured-gateway.ts";

const times = async (count: number, url: string, headers: Record<string, string> = {}): Promise<number[]> => {
  const statuses: number[] = [];
  for (let i = 0; i < count; i++) statuses.push((await fetch(url, { headers })).status);
  return statuses;
};

test("the 101st request of a day is refused with a problem that says when to come back", async (t) => {
  const { url, seen } = await startPluginGateway(t, [{ "rate-limit": { rate: "100/day", by: "address" } }]);
  const statuses = await times(100, `${url}/things`);
  assert.deepEqual(new Set(statuses), new Set([200]));
  const refused = await fetch(`${url}/things`);
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get("content-type"), "application/problem+json");
  const seconds = Number(refused.headers.get("retry-after"));
  assert.ok(seconds > 800 && seconds <= 864, `${seconds}`);
  assert.equal(refused.headers.get("ratelimit-policy"), '"100/day";q=100;w=86400');
  assert.equal(refused.headers.get("ratelimit"), `"100/day";r=0;t=${seconds}`);
  assert.equal(((await refused.json()) as { code: string }).code, "RATE_LIMITED");
  assert.equal(seen.length, 100);
});

test("an answer tells what is left", async (t) => {
  const { url } = await startPluginGateway(t, [{ "rate-limit": { rate: ["10/min", "100/day"] } }]);
  const answer = await fetch(`${url}/things`);
  assert.equal(answer.headers.get("ratelimit-policy"), '"10/min";q=10;w=60, "100/day";q=100;w=86400');
  assert.equal(answer.headers.get("ratelimit"), '"10/min";r=9;t=6, "100/day";r=99;t=864');
});

test("a limit of a route counts all of its operations together", async (t) => {
  const { url } = await startPluginGateway(t, [{ "rate-limit": { rate: "3/h", cost: 1 } }]);
  assert.deepEqual(await times(2, `${url}/things`), [200, 200]);
  assert.deepEqual(await times(2, `${url}/things/7`), [200, 429]);
});

test("an operation with x-cost takes that much of the limit", async (t) => {
  const { url } = await startPluginGateway(t, [{ "rate-limit": { rate: "25/h" } }]);
  assert.deepEqual(await times(3, `${url}/things/7`), [200, 200, 429]);
  assert.deepEqual(await times(1, `${url}/things`), [200]);
});

test("a parameter can say what a request costs, and less than one is one", async (t) => {
  const { url } = await startPluginGateway(t, [{ "rate-limit": { rate: "20/h", cost: "query:limit" } }]);
  const answer = async (query: string): Promise<string | null> =>
    (await fetch(`${url}/things${query}`)).headers.get("ratelimit");
  assert.match(String(await answer("?limit=10")), /r=10;/);
  assert.match(String(await answer("")), /r=5;/);
  assert.match(String(await answer("?limit=-3")), /r=4;/);
  assert.match(String(await answer("?limit=5")), /r=4;/);
});

test("a request that asks for more than the whole limit is refused without a time to come back", async (t) => {
  const { url } = await startPluginGateway(t, [{ "rate-limit": { rate: "20/h", cost: "query:limit" } }]);
  const refused = await fetch(`${url}/things?limit=21`);
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get("retry-after"), null);
});

test("callers are counted apart, and one who leaves the header out is counted by address", async (t) => {
  const { url } = await startPluginGateway(t, [{ "rate-limit": { rate: "1/h", by: "header:X-Tenant" } }]);
  assert.deepEqual(await times(2, `${url}/things`, { "x-tenant": "a" }), [200, 429]);
  assert.deepEqual(await times(2, `${url}/things`, { "x-tenant": "b" }), [200, 429]);
  assert.deepEqual(await times(2, `${url}/things`), [200, 429]);
});

test("a forged X-Forwarded-For does not make another caller", async (t) => {
  const { url } = await startPluginGateway(t, [{ "rate-limit": { rate: "1/h", by: "address" } }]);
  assert.deepEqual(await times(1, `${url}/things`, { "x-forwarded-for": "10.0.0.1" }), [200]);
  assert.deepEqual(await times(1, `${url}/things`, { "x-forwarded-for": "10.0.0.2" }), [429]);
});

test("a dry run counts and refuses nothing", async (t) => {
  const { url } = await startPluginGateway(t, [{ "rate-limit": { rate: "1/h", dryRun: true } }]);
  assert.deepEqual(await times(3, `${url}/things`), [200, 200, 200]);
});

test("a dry run measures what it would refuse", async () => {
  const plugin = await testPlugin(rateLimit, { rate: "1/h", dryRun: true });
  for (let i = 0; i < 3; i++) assert.equal((await plugin.send()).response.status, 200);
  assert.match(plugin.metrics(), /^portico_plugin_rate_limit_dry_run_total\{[^}]*\} 2$/m);
});

test("a thousand at once get exactly what is allowed", async (t) => {
  const { url, seen } = await startPluginGateway(t, [{ "rate-limit": { rate: "100/day" } }]);
  const answers = await Promise.all(Array.from({ length: 1_000 }, (_, i) => fetch(`${url}/things?limit=${i}`)));
  assert.equal(answers.filter(({ status }) => status === 200).length, 100);
  assert.equal(seen.length, 100);
});

test("anonymous callers can be spared, so that a limit holds only for those who are known", async (t) => {
  const { url } = await startPluginGateway(t, [{ "rate-limit": { rate: "2/day", anonymous: "unlimited" } }]);
  assert.deepEqual(await times(4, `${url}/things`), [200, 200, 200, 200]);
});

// ATTACKS 47
test("no spelling of a path, query or method is another operation, or another caller", async (t) => {
  const { url, seen } = await startPluginGateway(t, [
    { "rate-limit": { rate: "3/h", by: ["address", "operation"], cost: 1 } },
  ]);
  const spellings = ["/things/7", "/things/%37", "/things/7?a=1", "/things/7;x", "/%74hings/7", "/things/8"];
  const statuses: number[] = [];
  for (const path of spellings) statuses.push((await fetch(url + path)).status);
  assert.deepEqual(statuses, [200, 200, 200, 429, 429, 429]);
  assert.equal((await fetch(`${url}/things/7`, { method: "HEAD" })).status, 429);
  for (const path of ["//things/7", "/THINGS/7", "/things//7"]) {
    assert.ok([400, 404, 429].includes((await fetch(url + path)).status), path);
  }
  assert.equal(seen.length, 3);
});

test("who guesses credentials is limited by address, before they are looked at", async (t) => {
  const gateway = await startSecuredGateway(t, [{ headerKey: [] }], {
    security: { headerKey: { "api-key": { keys: { right: "ada" } } } },
    plugins: [{ "rate-limit": { rate: "3/h", by: "address" } }],
  });
  const statuses: number[] = [];
  for (const key of ["a", "b", "c", "d", "right"]) statuses.push((await gateway.get({ "X-Key": key })).status);
  assert.deepEqual(statuses, [401, 401, 401, 429, 429]);
});

test("a limit by consumer is not used up by those whose credentials are wrong", async (t) => {
  const gateway = await startSecuredGateway(t, [{ headerKey: [] }], {
    security: { headerKey: { "api-key": { keys: { right: "ada", other: "bob" } } } },
    plugins: [{ "rate-limit": { rate: "2/h", by: "consumer" } }],
  });
  const statuses: number[] = [];
  for (const key of ["a", "b", "c", "right", "right", "right", "other"]) {
    statuses.push((await gateway.get({ "X-Key": key })).status);
  }
  assert.deepEqual(statuses, [401, 401, 401, 200, 200, 429, 200]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { RouteOptions } from "../../src/config/schema.ts";
import { startBalancedGateway } from "../support/balanced-gateway.ts";
import { type InstanceProcess, startInstances } from "../support/instances.ts";
import { until } from "../support/load.ts";

const targetsOf = (instances: readonly InstanceProcess[]) => instances.map(({ url }) => ({ url }));
const instanceOf = async (response: Response): Promise<string> =>
  ((await response.json()) as { instance: string }).instance;
const askAll = async (url: string, times: number, headers: Record<string, string> = {}): Promise<Set<string>> => {
  const seen = new Set<string>();
  for (let i = 0; i < times; i++) seen.add(await instanceOf(await fetch(`${url}/things`, { headers })));
  return seen;
};
async function start(
  t: Parameters<typeof startInstances>[0],
  names: string[],
  upstream: RouteOptions["upstream"] = {},
  route: Partial<RouteOptions> = {},
): Promise<{ url: string; instances: InstanceProcess[] }> {
  const instances = await startInstances(t, ...names);
  const { url } = await startBalancedGateway(t, { upstream: { targets: targetsOf(instances), ...upstream }, ...route });
  return { url, instances };
}

test("a sticky cookie brings a browser back to its instance, and says nothing of it", async (t) => {
  const { url, instances } = await start(t, ["a", "b", "c"], { balance: { policy: "sticky", cookie: "where" } });
  const first = await fetch(`${url}/things`);
  const name = await instanceOf(first);
  const cookie = first.headers.get("set-cookie") ?? "";
  assert.match(cookie, /^where=[0-9a-z]{5,11}; Path=\/; HttpOnly; SameSite=Lax$/);
  const sent = { cookie: cookie.split(";")[0] as string };
  assert.deepEqual([...(await askAll(url, 20, sent))], [name]);
  assert.equal((await fetch(`${url}/things`, { headers: sent })).headers.get("set-cookie"), null);

  await instances.find((instance) => instance.name === name)?.kill("SIGKILL");
  const moved = await fetch(`${url}/things`, { headers: sent });
  assert.equal(moved.status, 200);
  assert.match(moved.headers.get("set-cookie") ?? "", /^where=/);
});

test("a header's hash brings its callers to one instance", async (t) => {
  const { url } = await start(t, ["a", "b", "c"], { balance: { policy: "hash", hash: { header: "x-user" } } });
  assert.equal((await askAll(url, 10, { "x-user": "ada" })).size, 1);
  const all = new Set<string>();
  for (let i = 0; i < 30; i++) for (const name of await askAll(url, 1, { "x-user": `user-${i}` })) all.add(name);
  assert.equal(all.size, 3);
});

test("an active check takes an ill instance out before any request meets it, and back in when it is well", async (t) => {
  const [ill, well] = await startInstances(t, "ill", "well");
  assert.ok(ill && well);
  await ill.behave({ mode: "fail", status: 503 });
  const { url } = await startBalancedGateway(t, {
    upstream: {
      targets: targetsOf([ill, well]),
      health: { active: { path: "/health", intervalMs: 50, timeoutMs: 5_000, healthyAfter: 2 } },
    },
    retries: { attempts: 0 },
  });
  await until("the check has found it ill", async () => (await askAll(url, 6).catch(() => new Set())).size === 1);
  assert.deepEqual([...(await askAll(url, 10))], ["well"]);
  await ill.behave({});
  await until("it is back", async () => (await askAll(url, 4)).size === 2);
});

test("an active check without a path opens a connection", async (t) => {
  const { url, instances } = await start(
    t,
    ["a", "b"],
    { health: { active: { intervalMs: 50, unhealthyAfter: 1 } } },
    { retries: { attempts: 0 } },
  );
  await instances[0]?.kill("SIGKILL");
  await until("nobody meets the dead one", async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => fetch(`${url}/things`)));
    return answers.every(({ status }) => status === 200);
  });
});

test("an instance that says 503 and Retry-After is spared, and its requests are answered elsewhere", async (t) => {
  const { url, instances } = await start(t, ["tired", "fresh"]);
  await instances[0]?.behave({ mode: "fail", status: 503, headers: { "retry-after": "60" } });
  assert.deepEqual([...(await askAll(url, 20))], ["fresh"]);
  assert.equal(await instances[0]?.count(), 1);
});

test("when every instance says 503 and Retry-After, the client is told so", async (t) => {
  const { url, instances } = await start(t, ["a", "b"]);
  for (const each of instances) await each.behave({ mode: "fail", status: 503, headers: { "retry-after": "60" } });
  const response = await fetch(`${url}/things`);
  assert.equal(response.status, 503);
  assert.equal(response.headers.get("retry-after"), "60");
});

test("a POST that meets a dead instance is answered by a living one; one that meets a failing one is not repeated", async (t) => {
  const { url, instances } = await start(t, ["a", "b"], { balance: { policy: "round-robin" } });
  await instances[0]?.kill("SIGKILL");
  for (let i = 0; i < 6; i++) assert.equal((await fetch(`${url}/things`, { method: "POST", body: "x" })).status, 200);
  const before = (await instances[1]?.count()) ?? 0;
  await instances[1]?.behave({ mode: "reset" });
  assert.equal((await fetch(`${url}/things`, { method: "POST", body: "x" })).status, 502);
  assert.equal(await instances[1]?.count(), before + 1);
});

test("a canary gets those that ask for it by header", async (t) => {
  const [stable, canary] = await startInstances(t, "stable", "canary");
  assert.ok(stable && canary);
  const { url } = await startBalancedGateway(t, {
    upstream: {
      targets: [
        { url: stable.url, version: "1" },
        { url: canary.url, version: "2" },
      ],
      versions: [{ version: "2", header: { "x-canary": "*" } }],
    },
  });
  assert.deepEqual([...(await askAll(url, 10))], ["stable"]);
  assert.deepEqual([...(await askAll(url, 10, { "x-canary": "1" }))], ["canary"]);
});

test("a circuit that opened answers 503 with Retry-After without asking the service", async (t) => {
  const { url, instances } = await start(
    t,
    ["a"],
    { breaker: { per: "service", minimumRequests: 5, openMs: 60_000 }, health: { passive: false } },
    { retries: { attempts: 0 } },
  );
  await instances[0]?.behave({ mode: "fail" });
  for (let i = 0; i < 5; i++) await (await fetch(`${url}/things`)).text();
  const response = await fetch(`${url}/things`);
  assert.equal(response.status, 503);
  assert.equal(((await response.json()) as { code: string }).code, "CIRCUIT_OPEN");
  assert.ok(Number(response.headers.get("retry-after")) > 0);
  assert.equal(await instances[0]?.count(), 5);
});

test("a hung instance is hedged around", async (t) => {
  const { url, instances } = await start(t, ["hung", "quick"], {}, { hedge: { afterMs: 50 } });
  await instances[0]?.behave({ mode: "hang" });
  assert.deepEqual([...(await askAll(url, 6))], ["quick"]);
});

test("what counts as slow may be learnt: a hung instance is hedged around after the percentile", async (t) => {
  const { url, instances } = await start(t, ["hung", "quick"], {}, { hedge: { percentile: 95 } });
  await instances[0]?.behave({ mode: "hang" });
  assert.deepEqual([...(await askAll(url, 6))], ["quick"]);
});

test("the total time holds over all tries", async (t) => {
  const { url, instances } = await start(t, ["a", "b"], {}, { timeouts: { totalMs: 300 } });
  for (const each of instances) await each.behave({ mode: "hang" });
  const response = await fetch(`${url}/things`);
  assert.equal(response.status, 504);
  assert.equal(((await response.json()) as { code: string }).code, "UPSTREAM_TIMEOUT");
});

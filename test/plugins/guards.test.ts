import assert from "node:assert/strict";
import { request as send } from "node:http";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { startPluginGateway } from "../support/plugin-gateway.ts";

test("only callers of the networks that are allowed come in", async (t) => {
  const { url, seen } = await startPluginGateway(t, [{ "ip-filter": { allow: ["10.0.0.0/8"] } }]);
  const refused = await fetch(`${url}/things`, { headers: { "x-forwarded-for": "10.1.2.3" } });
  assert.equal(refused.status, 403);
  assert.deepEqual(seen, []);
});

test("deny wins over allow", async (t) => {
  const { url } = await startPluginGateway(t, [{ "ip-filter": { allow: ["127.0.0.0/8"], deny: ["127.0.0.1"] } }]);
  assert.equal((await fetch(`${url}/things`)).status, 403);
});

test("a network that is none is refused at start", async (t) => {
  for (const network of ["10.0.0.0/99", "everything", "10.0.0.0/", "10.0.0.0/8/9"]) {
    await assert.rejects(startPluginGateway(t, [{ "ip-filter": { deny: [network] } }]), /not an address or a network/);
  }
});

test("a scanner and a denied path are refused, a browser is not", async (t) => {
  const { url } = await startPluginGateway(t, [{ deny: { agents: ["bad*bot"], paths: ["/things/*"] } }]);
  const status = async (path: string, agent: string): Promise<number> =>
    (await fetch(url + path, { headers: { "user-agent": agent } })).status;
  assert.equal(await status("/things", "Mozilla/5.0"), 200);
  assert.equal(await status("/things", "SQLMap/1.8"), 403);
  assert.equal(await status("/things", "a BAD-ugly-Bot/2"), 403);
  assert.equal(await status("/things/7", "Mozilla/5.0"), 403);
  assert.equal(await status("/th%69ngs/7", "Mozilla/5.0"), 403, "as another spelling, too");
});

test("a body that says it is too long is refused, and one that does not say so is cut off", async (t) => {
  const { url } = await startPluginGateway(t, [{ "body-limit": { maxBytes: "1KiB" } }]);
  const told = await fetch(`${url}/things`, { method: "POST", body: "x".repeat(1_025) });
  assert.equal(told.status, 413);
  const fits = await fetch(`${url}/things`, { method: "POST", body: "x".repeat(1_024) });
  assert.equal(fits.status, 200);
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const request = send(`${url}/things`, { method: "POST", headers: { "content-type": "text/plain" } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on("error", reject);
    request.write("x".repeat(1_000));
    request.end("x".repeat(1_000));
  });
  assert.equal(status, 413);
});

test("no more requests than allowed are under way at once; one may wait for its turn", async (t) => {
  const waiting: (() => void)[] = [];
  const { url, seen } = await startPluginGateway(
    t,
    [{ concurrency: { max: 2, by: "address", queue: 1, queueMs: 60_000 } }],
    { service: (_request, response) => waiting.push(() => response.end("ok")) },
  );
  const answers = Array.from({ length: 5 }, (_, i) => fetch(`${url}/things?limit=${i}`).then(({ status }) => status));
  // Two of five are refused at once: two are under way and one waits.
  const early: number[] = [];
  for (const answer of answers) void answer.then((status) => early.push(status));
  while (early.length < 2 || seen.length < 2) await setTimeout(5);
  assert.deepEqual(early, [429, 429]);
  assert.equal(seen.length, 2);
  for (let i = 0; i < 3; i++) {
    while (waiting.length === 0) await setTimeout(5);
    waiting.shift()?.();
  }
  assert.deepEqual((await Promise.all(answers)).sort(), [200, 200, 200, 429, 429]);
});

test("a long answer holds its place until it has been sent", async (t) => {
  const { url } = await startPluginGateway(t, [{ concurrency: { max: 1 } }], {
    service: (_request, response) => {
      response.write("first");
    },
  });
  const abort = new AbortController();
  await fetch(`${url}/things?limit=1`, { signal: abort.signal });
  const second = await fetch(`${url}/things?limit=2`);
  assert.equal(second.status, 429);
  assert.equal(((await second.json()) as { code: string }).code, "CONCURRENCY_LIMITED");
  abort.abort();
  const deadline = Date.now() + 10_000;
  let status = 429;
  while (status === 429 && Date.now() < deadline) {
    const third = new AbortController();
    status = (await fetch(`${url}/things?limit=3`, { signal: third.signal })).status;
    third.abort();
    await setTimeout(5);
  }
  assert.equal(status, 200);
});

test("an address is itself however a trusted proxy writes it, and what a client puts before it counts for nothing", async (t) => {
  const { url } = await startPluginGateway(
    t,
    [{ "ip-filter": { allow: ["10.1.0.0/16", "2001:db8::/32"], deny: ["10.1.9.9"] } }],
    {
      options: { trustedProxies: ["127.0.0.0/8", "192.0.2.1"] },
    },
  );
  const status = async (headers: Record<string, string>): Promise<number> =>
    (await fetch(`${url}/things`, { headers })).status;
  const written: [Record<string, string>, number][] = [
    [{ "x-forwarded-for": "10.1.2.3" }, 200],
    [{ "x-forwarded-for": "10.1.2.3:4711" }, 200],
    [{ "x-forwarded-for": "::ffff:10.1.2.3" }, 200],
    [{ "x-forwarded-for": "::FFFF:0a01:0203" }, 200],
    [{ "x-forwarded-for": "2001:DB8:0:0::1" }, 200],
    [{ "x-forwarded-for": "[2001:db8::1]:443" }, 200],
    [{ forwarded: 'for="[2001:db8::1]:443";proto=https' }, 200],
    [{ "x-forwarded-for": "8.8.8.8, 10.1.2.3" }, 200],
    [{ "x-forwarded-for": "10.1.2.3, 192.0.2.1" }, 200],
    [{ "x-forwarded-for": "10.1.2.3, 8.8.8.8" }, 403],
    [{ "x-forwarded-for": "10.1.2.3, 8.8.8.8, 192.0.2.1" }, 403],
    [{ "x-forwarded-for": "10.1.9.9" }, 403],
    [{ "x-forwarded-for": "::ffff:10.1.9.9" }, 403],
    [{ "x-forwarded-for": "::ffff:a01:909" }, 403],
    [{ "x-forwarded-for": "10.1.2.3, unknown" }, 403],
    [{ "x-forwarded-for": "010.1.2.3" }, 403],
    [{ "x-forwarded-for": "2001:db9::1" }, 403],
    [{}, 403],
  ];
  for (const [headers, wanted] of written) assert.equal(await status(headers), wanted, JSON.stringify(headers));
});

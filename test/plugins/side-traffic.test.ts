import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { listen, startPluginGateway } from "../support/plugin-gateway.ts";
import { until } from "../support/until.ts";

/** Another service, that answers with its name. */
async function startOther(t: TestContext) {
  const seen: string[] = [];
  const server = createServer(async (request, response) => {
    const body = (await request.setEncoding("utf8").toArray()).join("");
    seen.push(`${request.method} ${request.url} ${body}`.trim());
    response.end("other");
  });
  t.after(() => server.close());
  t.after(() => server.closeAllConnections());
  return { seen, upstream: { targets: [{ url: await listen(server) }] } };
}

test("fault refuses to start unless faults are allowed", async (t) => {
  await assert.rejects(startPluginGateway(t, [{ fault: { abort: {} } }]), /allowFaults: true/);
});

test("fault holds requests, or answers them with an error of its own or a status", async (t) => {
  const options = { allowFaults: true };
  const failing = await startPluginGateway(t, [{ fault: { delay: { ms: 30 }, abort: {} } }], { options });
  const startMs = performance.now();
  const failed = await fetch(`${failing.url}/things`);
  assert.ok(performance.now() - startMs >= 29);
  assert.equal(failed.status, 503);
  assert.equal(((await failed.json()) as { code: string }).code, "FAULT_INJECTED");
  const other = await startPluginGateway(t, [{ fault: { abort: { status: 418 } } }], { options });
  assert.equal((await fetch(`${other.url}/things`)).status, 418);
  const never = await startPluginGateway(t, [{ fault: { abort: { percent: 0 } } }], { options });
  assert.equal((await fetch(`${never.url}/things`)).status, 200);
  assert.deepEqual([...failing.seen, ...other.seen], []);
});

test("canary takes requests by header, and a share of callers", async (t) => {
  const { seen, upstream } = await startOther(t);
  const gateway = await startPluginGateway(t, [{ canary: { upstream, header: "X-Canary: yes" } }]);
  const ask = async (value: string) =>
    (await fetch(`${gateway.url}/things/7`, { headers: { "X-Canary": value } })).text();
  assert.equal(await ask("yes"), "other");
  assert.notEqual(await ask("no"), "other");
  assert.deepEqual(seen, ["GET /things/7"]);
  const all = await startPluginGateway(t, [{ canary: { upstream, percent: 100 } }]);
  assert.equal(await (await fetch(`${all.url}/things/8`)).text(), "other");
  assert.deepEqual(all.seen, []);
});

test("canary takes its share of requests without a name, or with by: address of addresses", async (t) => {
  const { upstream } = await startOther(t);
  const goesOf = async (options: object): Promise<number> => {
    const gateway = await startPluginGateway(t, [{ canary: { upstream, percent: 50, ...options } }]);
    const texts = Array.from({ length: 100 }, async () => (await fetch(`${gateway.url}/things`)).text());
    return (await Promise.all(texts)).filter((text) => text === "other").length;
  };
  const byChance = await goesOf({});
  assert.ok(byChance > 15 && byChance < 85, `${byChance} of 100`);
  assert.ok([0, 100].includes(await goesOf({ by: "address" })));
});

test("mirror copies what goes to the service, and drops the copy's answer", async (t) => {
  const { seen, upstream } = await startOther(t);
  const gateway = await startPluginGateway(t, [{ mirror: { upstream } }], {
    service: (_, response) => response.end("own"),
  });
  assert.equal(await (await fetch(`${gateway.url}/things/7?a=1`)).text(), "own");
  await until(() => seen.length === 1, "a copy");
  assert.deepEqual(seen, ["GET /things/7?a=1"]);
  const gone = { targets: [{ url: "http://127.0.0.1:1" }] };
  const alone = await startPluginGateway(t, [{ mirror: { upstream: gone } }]);
  assert.equal((await fetch(`${alone.url}/things`)).status, 200);
});

test("mirror copies a body that streams, while it streams", async (t) => {
  const { seen, upstream } = await startOther(t);
  const gateway = await startPluginGateway(t, [{ mirror: { upstream } }]);
  const text = "0123456789abcdef".repeat(20_000);
  async function* slowly(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < text.length; at += 64_000) yield Buffer.from(text.slice(at, at + 64_000));
  }
  const headers = { "Content-Type": "application/octet-stream" };
  const init = { method: "POST", headers, body: ReadableStream.from(slowly()), duplex: "half" } as RequestInit;
  assert.equal((await fetch(`${gateway.url}/things`, init)).status, 200);
  assert.ok(gateway.last().text === text, "the service has the whole of it");
  const [copy] = await eventually("a copy", () => seen.length === 1 && seen);
  assert.ok(copy === `POST /things ${text}`, "and so has the other");
});

test("a mirror that does not read costs the service nothing", async (t) => {
  const stuck = createServer(() => {});
  t.after(() => stuck.close());
  t.after(() => stuck.closeAllConnections());
  const upstream = { targets: [{ url: await listen(stuck) }] };
  const options = { limits: { bodyBytes: "64MiB" } };
  const gateway = await startPluginGateway(t, [{ mirror: { upstream } }], { options });
  const body = "x".repeat(8 * 1024 * 1024);
  const headers = { "Content-Type": "application/octet-stream" };
  const init = {
    method: "POST",
    headers,
    body: ReadableStream.from([Buffer.from(body)]),
    duplex: "half",
  } as RequestInit;
  assert.equal((await fetch(`${gateway.url}/things`, init)).status, 200);
  assert.equal(gateway.last().text.length, body.length);
});

test("canary takes consumers by name and by group, and the same share of callers each time", async (t) => {
  const { upstream } = await startOther(t);
  const keys = { a: { consumer: "ada", groups: ["beta"] }, b: "bob", c: "carl" };
  const plugins = [{ "api-key": { keys } }, { canary: { upstream, consumers: ["beta", "bob"] } }];
  const gateway = await startPluginGateway(t, plugins);
  const goes = async (key: string): Promise<boolean> =>
    (await (await fetch(`${gateway.url}/things`, { headers: { "X-Api-Key": key } })).text()) === "other";
  assert.deepEqual([await goes("a"), await goes("b"), await goes("c")], [true, true, false]);
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`key-${i}`, `consumer-${i}`]));
  const shared = await startPluginGateway(t, [{ "api-key": { keys: many } }, { canary: { upstream, percent: 30 } }]);
  const round = () =>
    Promise.all(
      Object.keys(many).map(async (key) => {
        const answer = await fetch(`${shared.url}/things?limit=1`, { headers: { "X-Api-Key": key } });
        return (await answer.text()) === "other";
      }),
    );
  const first = await round();
  assert.deepEqual(await round(), first, "a caller always goes the same way");
  const share = first.filter(Boolean).length / first.length;
  assert.ok(share > 0.15 && share < 0.45, `${share}`);
});

test("quota refuses what is beyond it until the period ends, also after a reload", async (t) => {
  const disk = await mkdtemp(join(tmpdir(), "portico-quota-"));
  t.after(() => rm(disk, { recursive: true, force: true }));
  const gateway = await startPluginGateway(t, [{ quota: { limit: 2, by: "header:x-team" } }], {
    options: { store: { disk } },
  });
  const ask = (team: string) => fetch(`${gateway.url}/things`, { headers: { "X-Team": team } });
  const first = await ask("a");
  assert.match(first.headers.get("ratelimit") ?? "", /^"month";r=1;t=\d+$/);
  await ask("a");
  await gateway.reload();
  const refused = await ask("a");
  assert.equal(refused.status, 429);
  assert.ok(Number(refused.headers.get("retry-after")) > 0);
  assert.equal(((await refused.json()) as { code: string }).code, "CALL_QUOTA_EXCEEDED");
  assert.equal((await ask("b")).status, 200);
});

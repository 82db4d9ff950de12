import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { RegistrationError, register } from "../src/register.ts";
import { eventually } from "./support/eventually.ts";

interface Asked {
  readonly line: string;
  readonly atMs: number;
}

/** A registry that answers as the script says for the nth request of a kind; 200 with a lease once it has run out. */
async function startScripted(t: TestContext, script: Partial<Record<"PUT" | "renew" | "DELETE", number[]>> = {}) {
  const asked: Asked[] = [];
  let leases = 0;
  const server = createServer((request, response) => {
    request.resume();
    const [path = "", query = ""] = String(request.url).split("?");
    const kind = path.endsWith("/renew") ? "renew" : (request.method as "PUT" | "DELETE");
    asked.push({ line: `${kind}${query && ` ${query}`}`, atMs: performance.now() });
    const status = script[kind]?.shift() ?? 200;
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(kind === "PUT" && status < 300 ? { lease: `lease-${++leases}` } : { code: status }));
  }).listen(0, "127.0.0.1");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, "listening");
  const lines = (): string[] => asked.map(({ line }) => line);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, lines };
}

const me = { service: "pets", url: "http://127.0.0.1:9000", id: "a", deregisterOnSignal: false };

test("of several registries the next is tried when one does not answer", async (t) => {
  const alive = await startScripted(t);
  const errors: string[] = [];
  const onError = (error: Error): void => void errors.push(error.message);
  const instance = await register({ ...me, registry: ["http://127.0.0.1:1", alive.url], onError });
  await instance.close();
  assert.equal(errors.length, 1);
  assert.deepEqual(alive.lines(), ["PUT", "DELETE"]);
});

test("a registry that is unwell or asks for patience is asked again, ever later", async (t) => {
  const { url, asked } = await startScripted(t, { PUT: [503, 429, 500, 503] });
  const instance = await register({ ...me, registry: url });
  await instance.close();
  const gaps = asked.slice(1, 5).map(({ atMs }, i) => atMs - (asked[i]?.atMs ?? 0));
  // 200 ms doubled each time, of which chance leaves half at least.
  [100, 200, 400, 800].forEach((leastMs, i) => {
    assert.ok((gaps[i] ?? 0) >= leastMs - 5, `${gaps}`);
  });
});

test("two services that fail together do not come back together", async (t) => {
  const { url, asked } = await startScripted(t, { PUT: Array.from({ length: 20 }, () => 503) });
  const instances = await Promise.all(
    Array.from({ length: 10 }, (_, i) => register({ ...me, id: `i${i}`, registry: url })),
  );
  await Promise.all(instances.map((instance) => instance.close()));
  const seconds = asked.slice(10, 20).map(({ atMs }) => atMs - (asked[0]?.atMs ?? 0));
  assert.ok(Math.max(...seconds) - Math.min(...seconds) > 10, `${seconds}`);
});

test("a refusal is told at once and not tried again", async (t) => {
  const { url, lines } = await startScripted(t, { PUT: [422] });
  await assert.rejects(register({ ...me, registry: url }), (error) => {
    assert.ok(error instanceof RegistrationError);
    assert.equal(error.status, 422);
    return true;
  });
  assert.deepEqual(lines(), ["PUT"]);
});

test("a heartbeat whose lease is gone registers again, and beats under the new lease", async (t) => {
  const { url, lines } = await startScripted(t, { renew: [200, 404] });
  const instance = await register({ ...me, registry: url, ttlSeconds: 0.3 });
  await eventually("it beats under its second lease", () => lines().includes("renew lease=lease-2"));
  await instance.close();
  assert.deepEqual(lines().slice(0, 5), [
    "PUT",
    "renew lease=lease-1",
    "renew lease=lease-1",
    "PUT",
    "renew lease=lease-2",
  ]);
  assert.equal(lines().at(-1), "DELETE");
});

test("heartbeats go on when one fails, and the end comes even when the registry cannot be told", async (t) => {
  const { url, lines } = await startScripted(t, { renew: [503, 500], DELETE: [503] });
  const instance = await register({ ...me, registry: url, ttlSeconds: 0.3 });
  await eventually("it beats on", () => lines().filter((line) => line.startsWith("renew")).length >= 4);
  await instance.close();
  assert.equal(lines().at(-1), "DELETE");
});

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startPluginGateway } from "../support/plugin-gateway.ts";
import { until } from "../support/until.ts";

const post = (url: string, key: string | undefined, body = '{"a":1}', more: Record<string, string> = {}) =>
  fetch(`${url}/things`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...(key === undefined ? {} : { "Idempotency-Key": key }), ...more },
    body,
  });

test("the first answer is replayed byte for byte, also after a reload and a failed first try", async (t) => {
  const data = await mkdtemp(join(tmpdir(), "portico-idempotency-"));
  t.after(() => rm(data, { recursive: true, force: true }));
  let calls = 0;
  const service: Parameters<typeof startPluginGateway>[2] = {
    options: { store: { disk: data } },
    service: (_, response) => {
      calls++;
      response.writeHead(calls === 1 ? 500 : 201, { "X-Call": String(calls) }).write(Buffer.from([0, 255, calls]));
      response.end();
    },
  };
  const gateway = await startPluginGateway(t, ["idempotency"], service);
  assert.equal((await post(gateway.url, "k1")).status, 500);
  const first = await post(gateway.url, "k1");
  const again = await post(gateway.url, "k1");
  assert.deepEqual([first.status, again.status, calls], [201, 201, 2]);
  assert.equal(again.headers.get("x-call"), "2");
  assert.deepEqual(Buffer.from(await again.arrayBuffer()), Buffer.from([0, 255, 2]));
  await gateway.reload();
  assert.equal((await post(gateway.url, "k1")).headers.get("x-call"), "2");
  const restarted = await startPluginGateway(t, ["idempotency"], service);
  assert.equal((await post(restarted.url, "k1")).headers.get("x-call"), "2", "another gateway of the folder, too");
  // Another caller, another key, and no key at all are each a request of their own.
  assert.equal(
    (await post(gateway.url, "k1", undefined, { Authorization: "Bearer other" })).headers.get("x-call"),
    "3",
  );
  assert.equal((await post(gateway.url, "k2")).headers.get("x-call"), "4");
  assert.equal((await post(gateway.url, undefined)).headers.get("x-call"), "5");
});

test("another body under the same key is refused, and a key can be required", async (t) => {
  const gateway = await startPluginGateway(t, [{ idempotency: { required: true } }]);
  assert.equal((await post(gateway.url, "k")).status, 200);
  const misused = await post(gateway.url, "k", '{"a":2}');
  assert.equal(misused.status, 422);
  assert.equal(((await misused.json()) as { code: string }).code, "IDEMPOTENCY_MISUSED");
  assert.equal((await post(gateway.url, undefined)).status, 400);
  assert.equal(gateway.seen.length, 1);
});

for (const [concurrent, status] of [
  ["refuse", 409],
  ["wait", 201],
] as const) {
  test(`a second request while the first is under way: ${concurrent}`, async (t) => {
    const held: (() => void)[] = [];
    const gateway = await startPluginGateway(t, [{ idempotency: { concurrent } }], {
      service: (_, response) => held.push(() => response.writeHead(201).end("made")),
    });
    const first = post(gateway.url, "k");
    await until(() => held.length === 1, "the first at the service");
    const second = post(gateway.url, "k");
    if (concurrent === "wait") held[0]?.();
    assert.equal((await second).status, status);
    if (concurrent === "refuse") held[0]?.();
    assert.equal(await (await first).text(), "made");
    assert.equal(gateway.seen.length, 1);
  });
}

test("an answer too long to be kept comes whole, and is not asked for twice", async (t) => {
  const gateway = await startPluginGateway(t, [{ idempotency: { maxAnswerBytes: 1000 } }], {
    service: (_, response) => response.end("x".repeat(300_000)),
  });
  assert.equal((await (await post(gateway.url, "k")).text()).length, 300_000);
  assert.equal((await post(gateway.url, "k")).status, 409);
  assert.equal(gateway.seen.length, 1);
});

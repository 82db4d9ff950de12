import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { answering, startCachedService } from "../support/cached-service.ts";
import { eventually } from "../support/eventually.ts";

test("hits, misses, what is stored and what is evicted are counted by operation, with their bytes", async (t) => {
  const metrics = new Metrics();
  metrics.start();
  t.after(() => metrics.close());
  const service = await startCachedService(
    t,
    answering({ "Cache-Control": "max-age=60" }),
    {},
    { store: { memoryEntries: 1 } },
  );
  for (const path of ["/orders", "/orders", "/orders/1"]) await service.get(path);
  const text = metrics.render();
  for (const [event, operation, count, bytes] of [
    ["hit", "GET /orders", 1, 8],
    ["miss", "GET /orders", 1, 0],
    ["stored", "GET /orders", 1, 8],
    ["evicted", "GET /orders", 1, undefined],
    ["stored", "GET /orders/{id}", 1, 8],
  ] as const) {
    const labels = `{operation="${operation}",event="${event}"}`;
    assert.ok(text.includes(`portico_cache_events_total${labels} ${count}\n`), labels);
    if (bytes !== undefined) assert.ok(text.includes(`portico_cache_bytes_total${labels} ${bytes}\n`), labels);
  }
});

test("what makes room on disk is counted as evicted", async (t) => {
  const disk = await mkdtemp(join(tmpdir(), "portico-evicted-"));
  t.after(() => rm(disk, { recursive: true, force: true }));
  const metrics = new Metrics();
  metrics.start();
  t.after(() => metrics.close());
  const answer = answering({ "Cache-Control": "max-age=60", "X-Padding": "x".repeat(1000) });
  const service = await startCachedService(t, answer, {}, { store: { disk, diskBytes: 5000 } });
  await eventually("the first of them are gone", async () => {
    for (let i = 0; i < 10; i++) await service.get(`/orders/${i}`);
    return /portico_cache_events_total\{operation="GET \/orders\/\{id\}",event="evicted"\} [1-9]/.test(
      metrics.render(),
    );
  });
});

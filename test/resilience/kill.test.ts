import assert from "node:assert/strict";
import { test } from "node:test";
import { startBalancedGateway } from "../support/balanced-gateway.ts";
import { startInstances } from "../support/instances.ts";
import { startLoad, until, watchTries } from "../support/load.ts";

test("kill -9 of one of two instances under 200 requests a second fails no read, and it leaves the pool at once", async (t) => {
  const [doomed, other] = await startInstances(t, "doomed", "other");
  assert.ok(doomed && other);
  const { url } = await startBalancedGateway(t, {
    upstream: { targets: [{ url: doomed.url }, { url: other.url }] },
  });
  const watch = watchTries();
  t.after(() => watch.stop());
  const load = startLoad(`${url}/things`, 200);
  await until("both have answered", () => new Set(load.shots.map(({ instance }) => instance)).size === 2);
  await until("100 answers", () => load.shots.length >= 100);

  const killedAtMs = performance.now();
  await doomed.kill("SIGKILL");
  const before = load.shots.length;
  await until("300 more answers", () => load.shots.length >= before + 300);
  const shots = await load.stop();

  const failed = shots.filter(({ status }) => status !== 200);
  assert.deepEqual(failed, []);
  const bad = watch.tries.filter(({ url: at, kind }) => at === doomed.url && kind !== "response");
  const lastBadMs = Math.max(0, ...bad.map(({ atMs }) => atMs - killedAtMs));
  t.diagnostic(
    `${shots.length} requests, ${bad.length} tries met the dead instance, the last ${lastBadMs.toFixed(0)} ms after`,
  );
  assert.ok(lastBadMs < 1_000, `the last bad pick came ${lastBadMs} ms after the kill`);
  const late = shots.filter(({ startedAtMs, instance }) => startedAtMs > killedAtMs + 1_000 && instance === "doomed");
  assert.deepEqual(late, []);
});

import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { RouteOptions } from "../../src/config/schema.ts";
import { startBalancedGateway } from "../support/balanced-gateway.ts";
import { type InstanceProcess, startInstance, startInstances } from "../support/instances.ts";
import { createNetworkNamespace } from "../support/network-namespace.ts";
import { type ProofRow, prove, writeRows } from "../support/proof.ts";

/** How long a try may take before it counts as hung; far above what a busy machine needs for an answer. */
const HEADERS_MS = 1_000;
/** Longer when the table is written. */
const [BEFORE, AFTER] = process.env.PORTICO_PROOF === "write" ? [500, 2_000] : [100, 600];
const rows: ProofRow[] = [];
after(() => writeRows("faults", rows));

interface Scenario {
  readonly fault: string;
  strike(instance: InstanceProcess): Promise<unknown>;
  readonly route?: Partial<RouteOptions>;
  readonly knownAfterMs?: number;
}

const scenarios: Scenario[] = [
  { fault: "`kill -9` of one of three", strike: (one) => one.kill("SIGKILL") },
  {
    fault: "one hangs: accepts, never answers",
    strike: (one) => one.behave({ mode: "hang" }),
    knownAfterMs: HEADERS_MS,
  },
  {
    fault: "one hangs, with `hedge: { afterMs: 100 }`",
    strike: (one) => one.behave({ mode: "hang" }),
    route: { hedge: { afterMs: 100 } },
    knownAfterMs: 100,
  },
  { fault: "one freezes (`SIGSTOP`)", strike: async (one) => one.child.kill("SIGSTOP"), knownAfterMs: HEADERS_MS },
  { fault: "one answers 500", strike: (one) => one.behave({ mode: "fail" }) },
  { fault: "one resets every connection", strike: (one) => one.behave({ mode: "reset" }) },
];

for (const { fault, strike, route, knownAfterMs } of scenarios) {
  test(`under 500 requests a second no read fails when this happens: ${fault}`, async (t) => {
    const [struck, ...others] = await startInstances(t, "struck", "second", "third");
    assert.ok(struck);
    const { url } = await startBalancedGateway(t, {
      upstream: { targets: [struck, ...others].map((each) => ({ url: each.url })) },
      timeouts: { headersMs: HEADERS_MS },
      ...route,
    });
    const { row } = await prove(t, {
      fault,
      url: `${url}/things`,
      perSecond: 500,
      before: BEFORE,
      after: AFTER,
      strike: () => strike(struck),
      badUrl: struck.url,
      knownAfterMs,
    });
    rows.push(row);
    assert.equal(row.failed, 0);
    assert.ok(row.badTries < AFTER / 3, `${row.badTries} tries met it`);
  });
}

test("under 500 requests a second no read fails when this happens: a node is cut off from the network", async (t) => {
  const namespace = createNetworkNamespace(t);
  if (namespace === undefined) {
    t.skip("network namespaces are not allowed here: run as root on Linux with iproute2 (apt-get install iproute2)");
    return;
  }
  const far = await startInstance(t, "far", { namespace });
  const near = await startInstances(t, "second", "third");
  const { url } = await startBalancedGateway(t, {
    upstream: { targets: [far, ...near].map((each) => ({ url: each.url })) },
    timeouts: { headersMs: HEADERS_MS },
  });
  const { row } = await prove(t, {
    fault: "a node is cut off (network namespace)",
    url: `${url}/things`,
    perSecond: 500,
    before: BEFORE,
    after: AFTER,
    strike: async () => namespace.cutOff(),
    badUrl: far.url,
    knownAfterMs: HEADERS_MS,
  });
  rows.push(row);
  assert.equal(row.failed, 0);
});

import assert from "node:assert/strict";
import { after, type TestContext, test } from "node:test";
import { startBalancedGateway } from "../support/balanced-gateway.ts";
import { type EtcdNode, etcdMissing, findLeader, putKey, startEtcd } from "../support/etcd.ts";
import { eventually } from "../support/eventually.ts";
import { type InstanceProcess, startInstance, startInstances } from "../support/instances.ts";
import { type ProofRow, prove, writeRows } from "../support/proof.ts";
import { call, startTestRegistry } from "../support/registry.ts";

const skip = etcdMissing();
const rows: ProofRow[] = [];
after(() => writeRows("etcd", rows));
/** Longer, and every pair, when the table is written. */
const isWritten = process.env.PORTICO_PROOF === "write";
const [BEFORE, AFTER] = isWritten ? [500, 2_000] : [100, 400];

interface Stage {
  readonly url: string;
  readonly nodes: EtcdNode[];
  readonly instances: InstanceProcess[];
  /** Tells the world of an instance; resolves once etcd has it. */
  add(instance: InstanceProcess): Promise<unknown>;
}

/** Two registries over three members of etcd, and a gateway that follows either. */
async function withRegistries(t: TestContext): Promise<Stage> {
  const { nodes } = await startEtcd(t, 3);
  const etcd = nodes.map((node) => node.url);
  const registries = await Promise.all([
    startTestRegistry(t, { etcd }),
    startTestRegistry(t, { etcd: [...etcd].reverse() }),
  ]);
  const urls = registries.map(({ url }) => url);
  const add = (instance: InstanceProcess): Promise<unknown> =>
    eventually(`${instance.name} is registered`, async () => {
      const at = `${urls[1]}/v1/services/things/instances/${instance.name}`;
      const { status } = await call("PUT", at, { body: { url: instance.url, ttlSeconds: 120 } });
      return status === 200 || status === 201;
    });
  return stage(t, nodes, add, { upstream: { service: "things" } }, { registry: { url: urls } });
}

/** A gateway that follows etcd's own keys. */
async function withSource(t: TestContext): Promise<Stage> {
  const { nodes, client } = await startEtcd(t, 3);
  const add = (instance: InstanceProcess): Promise<unknown> =>
    eventually(`${instance.name} is written`, () =>
      putKey(client, `/services/things/${instance.name}`, instance.url).catch(() => false),
    );
  const endpoints = nodes.map((node) => node.url);
  return stage(
    t,
    nodes,
    add,
    { upstream: { service: "things", from: "etcd" } },
    { discovery: { etcd: { endpoints } } },
  );
}

async function stage(
  t: TestContext,
  nodes: EtcdNode[],
  add: Stage["add"],
  ...[route, options]: [Parameters<typeof startBalancedGateway>[1], Parameters<typeof startBalancedGateway>[2]]
): Promise<Stage> {
  const instances = await startInstances(t, "first", "second");
  for (const instance of instances) await add(instance);
  const { url } = await startBalancedGateway(t, route, options);
  await eventually("the gateway knows them", async () => (await fetch(`${url}/things`)).status === 200);
  return { url: `${url}/things`, nodes, instances, add };
}

const worlds = {
  "registries over etcd": withRegistries,
  "the source `etcd`": withSource,
};
const strokes: Record<string, (leader: EtcdNode) => unknown> = {
  "etcd's leader is killed with `kill -9`": (leader) => leader.kill(),
  "etcd's leader is cut off (`SIGSTOP`)": (leader) => leader.pause(),
};

for (const [i, [world, start]] of Object.entries(worlds).entries()) {
  for (const [j, [stroke, strike]] of Object.entries(strokes).entries()) {
    if (!isWritten && i !== j) continue;
    test(`under 500 requests a second, ${world}: ${stroke}, an instance dies, another joins, and no read fails`, {
      skip,
    }, async (t) => {
      const { url, nodes, instances, add } = await start(t);
      const [first] = instances;
      assert.ok(first);
      const newcomer = await startInstance(t, "newcomer");
      const leader = await findLeader(nodes);
      const { row } = await prove(t, {
        fault: `${world}: ${stroke}, one of two instances dies, another joins`,
        url,
        perSecond: 500,
        before: BEFORE,
        after: AFTER,
        badUrl: first.url,
        async strike() {
          await strike(leader);
          await first.kill("SIGKILL");
          await add(newcomer);
          await eventually("the newcomer is asked", async () => (await newcomer.count()) > 0);
        },
      });
      rows.push(row);
      assert.equal(row.failed, 0);
    });
  }
}

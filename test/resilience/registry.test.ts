import assert from "node:assert/strict";
import { once } from "node:events";
import { after, type TestContext, test } from "node:test";
import { startBalancedGateway } from "../support/balanced-gateway.ts";
import { type InstanceProcess, startInstance, startInstances } from "../support/instances.ts";
import { until } from "../support/load.ts";
import { type Fault, type ProofRow, prove, writeRows } from "../support/proof.ts";
import { call, temporaryFolder } from "../support/registry.ts";
import { type ServiceProcess, startProcess } from "../support/service-process.ts";

const rows: ProofRow[] = [];
after(() => writeRows("registry", rows));
/** Longer when the table is written. */
const [BEFORE, AFTER] = process.env.PORTICO_PROOF === "write" ? [500, 2_000] : [100, 600];

const startRegistryProcess = (t: TestContext, data: string, port: string): Promise<ServiceProcess> =>
  startProcess(t, ["src/cli/main.ts", "registry", "--port", port, "--data", data]);

interface Stage {
  readonly url: string;
  readonly registry: string;
  readonly data: string;
  readonly process: ServiceProcess["process"];
  readonly instances: InstanceProcess[];
  register(instance: InstanceProcess): Promise<unknown>;
  prove(fault: Omit<Fault, "url" | "perSecond" | "before" | "after">): ReturnType<typeof prove>;
}

/** A registry in a process of its own, a gateway that watches it, and instances that it knows. */
async function setStage(t: TestContext, ...names: string[]): Promise<Stage> {
  const data = await temporaryFolder(t);
  const { url: registry, process } = await startRegistryProcess(t, data, "0");
  const instances = await startInstances(t, ...names);
  const register = async (instance: InstanceProcess): Promise<void> => {
    const { status } = await call("PUT", `${registry}/v1/services/things/instances/${instance.name}`, {
      body: { url: instance.url, ttlSeconds: 60 },
    });
    assert.equal(status, 201);
  };
  await Promise.all(instances.map(register));
  const { url } = await startBalancedGateway(t, { upstream: { service: "things" } }, { registry: { url: registry } });
  await until("the gateway knows them", async () => (await fetch(`${url}/things`)).status === 200);
  const load = { url: `${url}/things`, perSecond: 500, before: BEFORE, after: AFTER };
  return { url, registry, data, process, instances, register, prove: (fault) => prove(t, { ...load, ...fault }) };
}

test("under 500 requests a second three instances are added: they take their share, and no read fails", async (t) => {
  const stage = await setStage(t, "first", "second");
  const added = await Promise.all(["third", "fourth", "fifth"].map((name) => startInstance(t, name)));
  const { row, shots } = await stage.prove({
    fault: "three instances are added to two",
    strike: () => Promise.all(added.map((instance) => stage.register(instance))),
  });
  rows.push(row);
  assert.equal(row.failed, 0);
  const last = shots.slice(-100);
  for (const { name } of added) assert.ok(last.filter(({ instance }) => instance === name).length >= 5, name);
});

test("under 500 requests a second an instance is drained and then ended: no read fails", async (t) => {
  const stage = await setStage(t, "leaving", "staying");
  const [leaving] = stage.instances;
  assert.ok(leaving);
  await leaving.behave({ delayMs: 20 });
  const { row } = await stage.prove({
    fault: "one of two is drained, then ended",
    badUrl: leaving.url,
    isLeft: true,
    async strike() {
      const { status } = await call("PUT", `${stage.registry}/v1/services/things/instances/leaving/status`, {
        body: { status: "draining" },
      });
      assert.equal(status, 204);
      let before = -1;
      await until("it gets nothing more", async () => {
        const now = await leaving.count();
        const isQuiet = now === before;
        before = now;
        await new Promise((resolve) => setTimeout(resolve, 100));
        return isQuiet;
      });
      await leaving.kill("SIGTERM");
    },
  });
  rows.push(row);
  assert.equal(row.failed, 0);
});

test("under 500 requests a second the registry is killed and started again: no read fails, and it is watched again", async (t) => {
  const stage = await setStage(t, "first", "second");
  const newcomer = await startInstance(t, "newcomer");
  const { row, shots } = await stage.prove({
    fault: "the registry is killed with `kill -9` and started again",
    async strike() {
      stage.process.kill("SIGKILL");
      await once(stage.process, "exit");
      await startRegistryProcess(t, stage.data, new URL(stage.registry).port);
      await stage.register(newcomer);
      await until("the newcomer is asked", async () => (await newcomer.count()) > 0);
    },
  });
  rows.push(row);
  assert.equal(row.failed, 0);
  assert.equal(new Set(shots.slice(-100).map(({ instance }) => instance)).size, 3);
});

test("under 500 requests a second the registry dies for good: the last known instances serve on, and a dead one is left out", async (t) => {
  const stage = await setStage(t, "first", "second");
  const [first] = stage.instances;
  assert.ok(first);
  stage.process.kill("SIGKILL");
  const { row } = await stage.prove({
    fault: "the registry is dead, and one of two is killed with `kill -9`",
    badUrl: first.url,
    strike: () => first.kill("SIGKILL"),
  });
  rows.push(row);
  assert.equal(row.failed, 0);
});

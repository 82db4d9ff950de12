import assert from "node:assert/strict";
import { Agent, createServer, request } from "node:http";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { folderWith, portico, type Running } from "../support/cli.ts";
import { eventually } from "../support/eventually.ts";
import { listen } from "../support/plugin-gateway.ts";

const SPEC = `openapi: 3.1.0
info: { title: Pets, version: "1" }
paths: { /pets: { get: { operationId: findPets, responses: { default: { description: any } } } } }
`;

interface Node {
  readonly run: Running;
  readonly url: string;
  readonly adminUrl: string;
  isTaken: boolean;
}

/** A port that is free now: two processes in turn must be known by one address. */
async function findPort(): Promise<number> {
  const server = createServer();
  const url = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return Number(new URL(url).port);
}

async function startNode(t: TestContext, target: string, drainSeconds = 3): Promise<Node> {
  const adminPort = await findPort();
  const folder = await folderWith(t, {
    "portico.yaml": `listen: { port: 0 }\nadmin: { port: ${adminPort}, token: secret }\nlimits: { drainSeconds: ${drainSeconds} }\n`,
    "openapi/pets.yaml": SPEC,
    "routes/pets.yaml": `openapi: ../openapi/pets.yaml\nupstream: { targets: [{ url: "${target}" }] }\n`,
  });
  const run = portico("start", "--config", join(folder, "portico.yaml"));
  t.after(() => run.child.kill("SIGKILL"));
  const [, url] = await run.printed(/listening on (\S+)$/m);
  return { run, url: url as string, adminUrl: `http://127.0.0.1:${adminPort}`, isTaken: true };
}

const agents = new Map<Node, Agent>();
function ask(node: Node, path: string, base = node.url): Promise<number> {
  const agent = agents.get(node) ?? new Agent({ keepAlive: true });
  agents.set(node, agent);
  return new Promise((resolve) => {
    request(`${base}${path}`, { agent }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode ?? 0));
      response.once("error", () => resolve(0));
    })
      .once("error", () => resolve(0))
      .end();
  });
}

async function startService(t: TestContext, delayMs: number): Promise<string> {
  const service = createServer((_request, response) => setTimeout(() => response.end("ok"), delayMs));
  t.after(() => {
    service.closeAllConnections();
    service.close();
  });
  return listen(service);
}

test("on SIGTERM readiness is 503 while requests are answered, then the process ends with 0", async (t) => {
  const node = await startNode(t, await startService(t, 0), 5);
  assert.equal(await ask(node, "/health/ready", node.adminUrl), 200);
  node.run.child.kill("SIGTERM");
  await eventually("readiness is 503", async () => (await ask(node, "/health/ready", node.adminUrl)) === 503);
  assert.equal(await ask(node, "/health/live", node.adminUrl), 200);
  const answer = await fetch(`${node.url}/pets`);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("connection"), "close");
  assert.equal((await node.run.finished).code, 0);
});

test("two gateways are restarted one after the other under load, and no request is lost", async (t) => {
  const target = await startService(t, 20);
  const nodes = [await startNode(t, target), await startNode(t, target)];
  t.after(() => {
    for (const agent of agents.values()) agent.destroy();
  });
  // As a balancer does: it asks for readiness, and leaves alone who is not ready.
  let isOver = false;
  const checks = (async () => {
    while (!isOver) {
      for (const node of [...nodes]) node.isTaken = (await ask(node, "/health/ready", node.adminUrl)) === 200;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  const statuses: number[] = [];
  const callers = Array.from({ length: 8 }, async (_, i) => {
    for (let turn = i; !isOver; turn++) {
      const taken = nodes.filter(({ isTaken }) => isTaken);
      const node = taken[turn % taken.length];
      if (node === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
      else statuses.push(await ask(node, "/pets"));
    }
  });
  for (const [i, old] of [...nodes].entries()) {
    const before = statuses.length;
    await eventually("answers before", () => statuses.length > before + 100);
    old.run.child.kill("SIGTERM");
    assert.equal((await old.run.finished).code, 0);
    nodes[i] = await startNode(t, target);
  }
  const before = statuses.length;
  await eventually("answers after", () => statuses.length > before + 100);
  isOver = true;
  await Promise.all([...callers, checks]);
  assert.deepEqual(
    statuses.filter((status) => status !== 200),
    [],
  );
  for (const node of nodes) node.run.child.kill("SIGTERM");
  for (const node of nodes) assert.equal((await node.run.finished).code, 0);
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { createGateway } from "../../src/index.ts";
import { folderWith, portico } from "../support/cli.ts";
import { eventually } from "../support/eventually.ts";
import { startInstances } from "../support/instances.ts";

const SPEC = `openapi: 3.1.0
info: { title: Pets, version: "1" }
paths: { /pets: { get: { operationId: findPets, responses: { "200": { description: ok } } } } }
`;

interface Report {
  service: string;
  source: string;
  ageSeconds: number | null;
  instances: number;
  balancing: {
    policy: string;
    breaker: string | null;
    instances: { id: string; state: string; lastChange?: { event: string; reason: string; at: string } }[];
  }[];
}

test("an operator sees each service's instances, why one is out, and how old what is known is", async (t) => {
  const [alive, dead] = await startInstances(t, "alive", "dead");
  assert.ok(alive && dead);
  const folder = await folderWith(t, {
    "portico.yaml": `listen: { port: 0 }
admin: { port: 0, token: right }
discovery: { file: { path: services.yaml }, lastKnown: { folder: known } }
`,
    "services.yaml": JSON.stringify({ pets: [alive.url, dead.url] }),
    "pets.yaml": SPEC,
    "routes/pets.yaml":
      "openapi: ../pets.yaml\ncache: { mode: 'off' }\nupstream: { service: pets, from: file, breaker: {}, balance: { policy: round-robin } }\n",
  });
  const gateway = await createGateway({ file: join(folder, "portico.yaml") });
  t.after(() => gateway.close());
  const url = await gateway.listen();
  const admin = String(gateway.adminUrl);
  const read = async (): Promise<Report[]> => {
    const response = await fetch(`${admin}/v1/services`, { headers: { Authorization: "Bearer right" } });
    assert.equal(response.status, 200);
    return (await response.json()) as Report[];
  };
  const [first] = await read();
  assert.deepEqual([first?.service, first?.source, first?.ageSeconds, first?.instances], ["pets", "file", 0, 2]);
  assert.deepEqual(
    first?.balancing[0]?.instances.map(({ state }) => state),
    ["up", "up"],
  );
  await dead.kill("SIGKILL");
  const out = await eventually("the dead one is out", async () => {
    assert.equal((await fetch(`${url}/pets`)).status, 200);
    const [report] = await read();
    return report?.balancing[0]?.instances.find(({ state }) => state === "unreachable");
  });
  assert.equal(out.id, dead.url);
  assert.deepEqual([out.lastChange?.event, typeof out.lastChange?.reason], ["out", "string"]);
  assert.ok(!Number.isNaN(Date.parse(String(out.lastChange?.at))));
  const metrics = await (await fetch(`${admin}/metrics`)).text();
  assert.match(metrics, /portico_upstream_instances\{source="file",service="pets",state="unreachable"\} 1/);
  assert.equal((await fetch(`${admin}/v1/services`)).status, 401);

  const { code, stdout } = await portico("services", "--config", join(folder, "portico.yaml"), "--url", admin).finished;
  assert.equal(code, 0);
  assert.match(stdout, /^pets \(file, in touch\)\n {2}round-robin: 1 of 2 up, breaker closed\n/);
  assert.match(stdout, /unreachable +http:\S+ .* since \d{4}-\S+: no connection to it has been made/);
});

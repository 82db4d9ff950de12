import assert from "node:assert/strict";
import { test } from "node:test";
import { etcdMissing, findLeader, startEtcd } from "../support/etcd.ts";
import { call, eventually, idsOf, startTestRegistry } from "../support/registry.ts";

const skip = etcdMissing();
const body = (port: number) => ({ url: `http://127.0.0.1:${port}`, ttlSeconds: 60 });

test("two registries over three etcd members are one: reads, ownership, watches, and the leader's death", {
  skip,
}, async (t) => {
  const { nodes } = await startEtcd(t, 3);
  const etcd = nodes.map(({ url }) => url);
  const a = (await startTestRegistry(t, { etcd })).url;
  const b = (await startTestRegistry(t, { etcd: [...etcd].reverse() })).url;
  const at = (base: string, id: string): string => `${base}/v1/services/pets/instances/${id}`;

  const made = await call("PUT", at(a, "one"), { body: body(9000) });
  assert.equal(made.status, 201);
  assert.deepEqual(idsOf(await call("GET", `${b}/v1/services/pets?consistency=consistent`)), ["one"]);
  assert.equal((await call("PUT", `${at(b, "one")}/renew?lease=${made.body.lease}`)).status, 204);
  assert.equal((await call("PUT", `${at(b, "one")}/status`, { body: { status: "draining" } })).status, 204);

  const { index } = (await call("GET", `${b}/v1/services/pets?consistency=consistent`)).body;
  const waiting = call("GET", `${b}/v1/services/pets?index=${index}&wait=30s`);
  assert.equal((await call("PUT", at(a, "two"), { body: body(9001) })).status, 201);
  assert.deepEqual(idsOf(await waiting), ["one", "two"]);

  const leader = await findLeader(nodes);
  await leader.kill();
  await eventually(
    async () => (await call("PUT", at(b, "three"), { body: body(9002) })).status,
    (status) => status === 200 || status === 201,
  );
  const after = await eventually(
    () => call("GET", `${a}/v1/services/pets?consistency=consistent`),
    ({ status }) => status === 200,
  );
  assert.deepEqual(idsOf(after), ["one", "three", "two"]);
  await eventually(
    async () => (await call("DELETE", at(a, "two"))).status,
    (status) => status === 204 || status === 404,
  );

  await nodes.find((node) => node !== leader)?.kill();
  const refused = await eventually(
    () => call("GET", `${a}/v1/services/pets`),
    ({ status }) => status === 503,
  );
  assert.equal(refused.body.code, "REGISTRY_UNAVAILABLE");
  assert.deepEqual(idsOf(await call("GET", `${a}/v1/services/pets?consistency=stale`)), ["one", "three"]);
});

test("a lease that is not renewed ends by etcd's clock, and a heartbeat after that is 404", { skip }, async (t) => {
  const { nodes } = await startEtcd(t, 1);
  const { url } = await startTestRegistry(t, { etcd: nodes.map((node) => node.url) });
  const at = `${url}/v1/services/pets/instances/one`;
  assert.equal((await call("PUT", at, { body: { ...body(9000), ttlSeconds: 1 } })).status, 201);
  await eventually(
    async () => idsOf(await call("GET", `${url}/v1/services/pets`)).length,
    (count) => count === 0,
  );
  assert.equal((await call("PUT", `${at}/renew`)).status, 404);
});

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Instance } from "../../src/core/upstream.ts";
import { createEtcdSource } from "../../src/discovery/etcd.ts";
import { EtcdClient } from "../../src/discovery/etcd-client.ts";
import type { EtcdSecurity } from "../../src/discovery/etcd-security.ts";
import { askForPassword, deleteKey, etcdMissing, putKey, startEtcd } from "../support/etcd.ts";
import { eventually } from "../support/eventually.ts";
import { call, idsOf, startTestRegistry } from "../support/registry.ts";
import { startRelay } from "../support/relay.ts";

const skip = etcdMissing();
const root = { user: "root", password: "sesame" };
const instance = { url: "http://127.0.0.1:9000" };

/** What the source tells of `pets`, by id. */
function follow(t: TestContext, endpoint: string, security: EtcdSecurity = {}) {
  const source = createEtcdSource({ endpoints: [endpoint], security });
  t.after(() => source.close());
  let told: readonly Instance[] = [];
  const watch = source.watch("pets", (instances) => {
    told = instances;
  });
  return {
    watch,
    ids: () =>
      told
        .map(({ id }) => id)
        .sort()
        .join(),
  };
}

/** How often a password was looked at, by etcd's own count. */
async function logins(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(
    /grpc_server_handled_total\{grpc_code="OK",grpc_method="Authenticate"[^}]*\} (\d+)/.exec(text)?.[1] ?? 0,
  );
}

test("tokens that end, again and again, end neither the watches nor the leases", { skip }, async (t) => {
  const { nodes, client } = await startEtcd(t, 1, ["--auth-token-ttl", "1"]);
  const etcd = nodes[0]?.url ?? "";
  await putKey(client, "/services/pets/1", instance.url);
  await askForPassword(client, root.password);
  const own = new EtcdClient([etcd], root);
  t.after(() => own.close());
  const { watch, ids } = follow(t, etcd, root);
  const { url } = await startTestRegistry(t, { etcd: [etcd], etcdSecurity: root });
  const at = `${url}/v1/services/pets/instances/one`;
  assert.equal((await call("PUT", at, { body: { ...instance, ttlSeconds: 10 } })).status, 201);
  const before = await logins(etcd);
  const heartbeats: number[] = [];
  // Between two of the source's questions, every 2 s, its token ends; heartbeats keep the registry's.
  await eventually("tokens end three times", async () => {
    heartbeats.push((await call("PUT", `${at}/renew`)).status);
    return (await logins(etcd)) >= before + 3;
  });
  assert.deepEqual([...new Set(heartbeats)], [204]);
  await putKey(own, "/services/pets/2", instance.url);
  await eventually("the watch goes on", () => ids() === "1,2");
  assert.equal(watch.ageMs(), 0);
  assert.deepEqual(idsOf(await call("GET", `${url}/v1/services/pets?consistency=consistent`)), ["one"]);
});

test("users that are turned off and on again leave no token behind: who asks shows the password anew, once for all", {
  skip,
}, async (t) => {
  const { nodes, client } = await startEtcd(t, 1);
  const etcd = nodes[0]?.url ?? "";
  await askForPassword(client, root.password);
  const own = new EtcdClient([etcd], root);
  t.after(() => own.close());
  const { url } = await startTestRegistry(t, { etcd: [etcd], etcdSecurity: root });
  const at = (i: number): string => `${url}/v1/services/pets/instances/${i}`;
  const all = Array.from({ length: 50 }, (_, i) => i);
  for (const [method, path, wanted] of [
    ["PUT", "", 201],
    ["PUT", "/renew", 204],
    ["PUT", "", 200],
  ] as const) {
    await own.call("/v3/auth/disable", {});
    await own.call("/v3/auth/enable", {});
    const before = await logins(etcd);
    const body = path === "" ? { body: { ...instance, ttlSeconds: 60 } } : {};
    const answers = await Promise.all(all.map(async (i) => (await call(method, at(i) + path, body)).status));
    assert.deepEqual([...new Set(answers)], [wanted]);
    const asked = (await logins(etcd)) - before;
    assert.ok(asked <= 10, `${asked} logins for 50 requests`);
  }
  await own.call("/v3/auth/disable", {});
  assert.equal((await call("DELETE", at(1))).status, 204);
});

test("what was compacted while the watcher was away is read anew as a whole", { skip }, async (t) => {
  const { nodes, client } = await startEtcd(t, 1);
  const etcd = nodes[0]?.url ?? "";
  const relay = await startRelay(t, etcd);
  await putKey(client, "/services/pets/1", instance.url);
  await putKey(client, "/services/pets/2", instance.url);
  const { watch, ids } = follow(t, relay.url);
  const { url } = await startTestRegistry(t, { etcd: [relay.url] });
  const other = await startTestRegistry(t, { etcd: [etcd] });
  const at = (base: string, id: string): string => `${base}/v1/services/pets/instances/${id}`;
  await call("PUT", at(url, "one"), { body: instance });
  await eventually("both stand", () => ids() === "1,2");

  relay.cut();
  await eventually("the watcher knows that it is cut off", () => watch.ageMs() > 0);
  await deleteKey(client, "/services/pets/1");
  await putKey(client, "/services/pets/3", instance.url);
  assert.equal((await call("DELETE", at(other.url, "one"))).status, 204);
  assert.equal((await call("PUT", at(other.url, "two"), { body: instance })).status, 201);
  const { revision } = await client.range("/services/");
  await client.call("/v3/kv/compaction", { revision: String(revision), physical: true });
  assert.equal(ids(), "1,2");
  assert.deepEqual(idsOf(await call("GET", `${url}/v1/services/pets?consistency=stale`)), ["one"]);

  relay.mend();
  await eventually("the source has all of it", () => ids() === "2,3");
  await eventually(
    "the registry has all of it",
    async () => idsOf(await call("GET", `${url}/v1/services/pets?consistency=stale`)).join() === "two",
  );
  await putKey(client, "/services/pets/4", instance.url);
  await eventually("and is followed from there", () => ids() === "2,3,4");
});

test("a watch from a revision that etcd no longer has ends and says why", { skip }, async (t) => {
  const { client } = await startEtcd(t, 1);
  for (const value of ["a", "b", "c"]) await putKey(client, "/services/pets/1", value);
  const { revision } = await client.range("/services/");
  await client.call("/v3/kv/compaction", { revision: String(revision) });
  const on = { start() {}, events: () => assert.fail("nothing is told of what was compacted") };
  await assert.rejects(
    client.watch("/services/", 2, new AbortController().signal, on),
    new RegExp(`compacted up to revision ${revision}`),
  );
});

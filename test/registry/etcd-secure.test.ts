import assert from "node:assert/strict";
import { test } from "node:test";
import { startBalancedGateway } from "../support/balanced-gateway.ts";
import { missingOpenssl } from "../support/certificates.ts";
import { etcdMissing, startSecureEtcd } from "../support/etcd.ts";
import { eventually } from "../support/eventually.ts";
import { startInstance } from "../support/instances.ts";
import { call, startTestRegistry } from "../support/registry.ts";

const skip = etcdMissing() || missingOpenssl() || false;

test("over an etcd with TLS, client certificates and users: the registry, and the source of the gateway", {
  skip,
}, async (t) => {
  const { url: etcd, ca, cert, key } = await startSecureEtcd(t, "sesame");
  const security = { user: "root", password: "sesame", ca, cert, key };
  const { url } = await startTestRegistry(t, { etcd: [etcd], etcdSecurity: security });
  const instance = await startInstance(t, "one");
  const made = await call("PUT", `${url}/v1/services/things/instances/one`, {
    body: { url: instance.url, ttlSeconds: 60 },
  });
  assert.equal(made.status, 201);
  // What the registry keeps is an instance in JSON under its own prefix: the source reads it as any other.
  const gateway = await startBalancedGateway(
    t,
    { upstream: { service: "things", from: "etcd" } },
    { discovery: { etcd: { endpoints: [etcd], prefix: "/portico/registry/", ...security } } },
  );
  await eventually("the gateway follows", async () => (await fetch(`${gateway.url}/things`)).status === 200);

  for (const wrong of [{ password: "wrong" }, { user: undefined }, { cert: undefined, key: undefined }]) {
    const other = await startTestRegistry(t, { etcd: [etcd], etcdSecurity: { ...security, ...wrong } });
    const refused = await call("PUT", `${other.url}/v1/services/things/instances/two`, { body: { url: instance.url } });
    assert.equal(refused.status, 503, JSON.stringify(wrong));
  }
});

test("a file of the configuration that cannot be read is named", async (t) => {
  await assert.rejects(
    startBalancedGateway(
      t,
      { upstream: { service: "things", from: "etcd" } },
      { discovery: { etcd: { ca: "nowhere.pem" } } },
    ),
    /discovery.etcd: etcd's ca is nowhere.pem; it cannot be read/,
  );
});

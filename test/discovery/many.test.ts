import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createEtcdSource } from "../../src/discovery/etcd.ts";
import { readSnapshot, writeSnapshot } from "../../src/discovery/snapshot-file.ts";
import { instancesOf } from "../support/balancing.ts";
import { etcdMissing, startEtcd } from "../support/etcd.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/registry.ts";

for (const count of [0, 1, 499, 500, 501, 2_000]) {
  test(`a snapshot of ${count} instances is read as it was written, and is one JSON document`, async (t) => {
    const file = join(await temporaryFolder(t), "folder", "registry-pets.json");
    const snapshot = { savedAtMs: 1_000, instances: instancesOf(count) };
    await writeSnapshot(file, snapshot);
    assert.deepEqual(await readSnapshot(file), JSON.parse(await readFile(file, "utf8")));
    assert.deepEqual(JSON.parse(JSON.stringify(snapshot)), await readSnapshot(file));
  });
}

test("a snapshot that was cut off, or is none, is not there", async (t) => {
  const file = join(await temporaryFolder(t), "registry-pets.json");
  await writeSnapshot(file, { savedAtMs: 1_000, instances: instancesOf(10) });
  const whole = await readFile(file, "utf8");
  for (const text of ["", "{", "[]", "null", whole.slice(0, -10), whole.replace("1000", '"x"')]) {
    await writeFile(file, text);
    assert.equal(await readSnapshot(file), undefined, text);
  }
});

test("etcd's keys are read in pages, all of one revision", { skip: etcdMissing() }, async (t) => {
  const { nodes, client } = await startEtcd(t, 1);
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  for (let first = 0; first < 1_200; first += 100) {
    const success = Array.from({ length: 100 }, (_, i) => ({
      request_put: {
        key: base64(`/services/pets/${first + i}`),
        value: base64(`http://127.0.0.1:${9_000 + first + i}`),
      },
    }));
    await client.call("/v3/kv/txn", { success });
  }
  const { entries } = await client.range("/services/pets/");
  assert.equal(new Set(entries.map(({ key }) => key)).size, 1_200);
  const source = createEtcdSource({ endpoints: nodes.map(({ url }) => url) });
  t.after(() => source.close());
  let told = 0;
  source.watch("pets", (instances) => {
    told = instances.length;
  });
  await eventually("all are told", () => told === 1_200);
});

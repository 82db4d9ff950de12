import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Instance } from "../../src/core/upstream.ts";
import { withLastKnown } from "../../src/discovery/last-known.ts";
import { createRegistrySource } from "../../src/discovery/registry.ts";
import type { DiscoverySource } from "../../src/discovery/source.ts";
import { call, eventually, startTestRegistry, temporaryFolder } from "../support/registry.ts";

async function startWith(t: TestContext, ids: readonly string[]) {
  const folder = await temporaryFolder(t);
  const registry = await startTestRegistry(t);
  for (const id of ids) {
    const body = { url: "http://127.0.0.1:9000" };
    assert.equal((await call("PUT", `${registry.url}/v1/services/pets/instances/${id}`, { body })).status, 201);
  }
  return { folder, registry };
}

function follow(t: TestContext, source: DiscoverySource) {
  t.after(() => source.close());
  const state = { ids: "nothing" };
  const watch = source.watch("pets", (instances) => {
    state.ids = instances
      .map(({ id }) => id)
      .sort()
      .join();
  });
  const told = (ids: string) =>
    eventually(
      () => state.ids,
      (now) => now === ids,
    );
  return { state, watch, told };
}

test("with the registry dead the last known instances stay, and their age grows", async (t) => {
  const { folder, registry } = await startWith(t, ["a", "b"]);
  const { watch, told, state } = follow(t, withLastKnown(createRegistrySource({ urls: [registry.url] }), { folder }));
  await told("a,b");
  assert.equal(watch.ageMs(), 0);
  await registry.close();
  await eventually(
    () => watch.ageMs(),
    (age) => age > 0,
  );
  assert.equal(state.ids, "a,b");
});

test("what is known for too long is no longer used", async (t) => {
  const { folder, registry } = await startWith(t, ["a"]);
  const source = withLastKnown(createRegistrySource({ urls: [registry.url] }), { folder, maxAgeSeconds: 1 });
  const { told } = follow(t, source);
  await told("a");
  await registry.close();
  await told("");
});

test("a start without the registry takes the last snapshot from the disk", async (t) => {
  const { folder, registry } = await startWith(t, ["a", "b"]);
  const first = withLastKnown(createRegistrySource({ urls: [registry.url] }), { folder });
  await follow(t, first).told("a,b");
  await first.close();
  await registry.close();
  const { state, watch } = follow(t, withLastKnown(createRegistrySource({ urls: [registry.url] }), { folder }));
  await watch.ready;
  assert.equal(state.ids, "a,b");
  assert.ok(watch.ageMs() >= 0);
});

test("an empty list where there were ten is distrusted for a while", async (t) => {
  const folder = await temporaryFolder(t);
  let tell: (instances: readonly Instance[]) => void = () => {};
  const scripted: DiscoverySource = {
    name: "scripted",
    watch(_service, listener) {
      tell = listener;
      return { ready: Promise.resolve(), ageMs: () => 0, close() {} };
    },
    close: async () => {},
  };
  const { watch, told, state } = follow(t, withLastKnown(scripted, { folder, distrustSeconds: 1 }));
  await watch.ready;
  const ten = Array.from({ length: 10 }, (_, i): Instance => {
    return { id: String(i), url: `http://127.0.0.1:${9000 + i}`, weight: 1, status: "up" };
  });
  tell(ten);
  tell([]);
  assert.equal(state.ids, "0,1,2,3,4,5,6,7,8,9");
  tell(ten.slice(0, 2));
  assert.equal(state.ids, "0,1");
  tell(ten);
  tell([]);
  await told("");
});

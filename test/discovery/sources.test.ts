import assert from "node:assert/strict";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Instance } from "../../src/core/upstream.ts";
import { createConsulSource } from "../../src/discovery/consul.ts";
import { createDnsSource } from "../../src/discovery/dns.ts";
import { createEtcdSource } from "../../src/discovery/etcd.ts";
import { createFileSource } from "../../src/discovery/file.ts";
import { createRegistrySource } from "../../src/discovery/registry.ts";
import type { DiscoverySource } from "../../src/discovery/source.ts";
import { deregisterAtConsul, registerAtConsul, startConsul } from "../support/consul.ts";
import { dnsmasqMissing, startNameServer } from "../support/dnsmasq.ts";
import { deleteKey, etcdMissing, putKey, startEtcd } from "../support/etcd.ts";
import { call, eventually, startTestRegistry, temporaryFolder } from "../support/registry.ts";

/** A real source, and the world behind it: addresses 127.0.0.1, 127.0.0.2 … on port 9000. */
interface Bench {
  readonly source: DiscoverySource;
  /** From now on the service has the instances of these last numbers. */
  set(numbers: readonly number[]): Promise<void>;
}

const urlOf = (number: number): string => `http://127.0.0.${number}:9000`;

async function startDns(t: TestContext, record: "address" | "srv", line: (n: number) => string): Promise<Bench> {
  const server = await startNameServer(t, []);
  return {
    source: createDnsSource({ servers: [server.address], suffix: "test", record, port: 9000 }),
    set: (numbers) => server.serve(numbers.map(line)),
  };
}

const benches: Record<string, { skip: string | false; start(t: TestContext): Promise<Bench> }> = {
  file: {
    skip: false,
    async start(t) {
      const path = join(await temporaryFolder(t), "services.yaml");
      const set = async (numbers: readonly number[]): Promise<void> => {
        await writeFile(`${path}.new`, JSON.stringify({ pets: numbers.map(urlOf) }));
        await rename(`${path}.new`, path);
      };
      await set([]);
      return { source: createFileSource({ path }), set };
    },
  },
  registry: {
    skip: false,
    async start(t) {
      const { url } = await startTestRegistry(t);
      let now: readonly number[] = [];
      const at = (number: number): string => `${url}/v1/services/pets/instances/${number}`;
      return {
        source: createRegistrySource({ urls: [url] }),
        async set(numbers) {
          for (const old of now) if (!numbers.includes(old)) await call("DELETE", at(old));
          for (const number of numbers) await call("PUT", at(number), { body: { url: urlOf(number) } });
          now = numbers;
        },
      };
    },
  },
  etcd: {
    skip: etcdMissing(),
    async start(t) {
      const { nodes, client } = await startEtcd(t, 1);
      let now: readonly number[] = [];
      return {
        source: createEtcdSource({ endpoints: nodes.map(({ url }) => url) }),
        async set(numbers) {
          for (const old of now) if (!numbers.includes(old)) await deleteKey(client, `/services/pets/${old}`);
          for (const number of numbers) await putKey(client, `/services/pets/${number}`, urlOf(number));
          now = numbers;
        },
      };
    },
  },
  consul: {
    skip: false,
    async start(t) {
      const server = await startConsul(t);
      let now: readonly number[] = [];
      return {
        source: createConsulSource({ url: server.url }),
        async set(numbers) {
          for (const old of now) if (!numbers.includes(old)) await deregisterAtConsul(server, `${old}`);
          for (const number of numbers) {
            const address = `127.0.0.${number}`;
            await registerAtConsul(server, { ID: `${number}`, Name: "pets", Address: address, Port: 9000 });
          }
          now = numbers;
        },
      };
    },
  },
  dns: { skip: dnsmasqMissing(), start: (t) => startDns(t, "address", (n) => `host-record=pets.test,127.0.0.${n}`) },
  "dns srv": {
    skip: dnsmasqMissing(),
    start: (t) => startDns(t, "srv", (n) => `srv-host=pets.test,127.0.0.${n},9000`),
  },
};

for (const [name, { skip, start }] of Object.entries(benches)) {
  test(`${name}: tells what is there, each change and the last one's going, and is in touch`, { skip }, async (t) => {
    const { source, set } = await start(t);
    t.after(() => source.close());
    await set([1, 2]);
    let told: readonly Instance[] | undefined;
    const watch = source.watch("pets", (instances) => {
      told = instances;
    });
    const urls = (): string[] | undefined => told?.map(({ url }) => url).sort();
    const toldUrls = (numbers: readonly number[]) =>
      eventually(urls, (now) => JSON.stringify(now) === JSON.stringify(numbers.map(urlOf)));
    await watch.ready;
    await toldUrls([1, 2]);
    await set([1, 2, 3]);
    await toldUrls([1, 2, 3]);
    await set([2]);
    await toldUrls([2]);
    await set([]);
    await toldUrls([]);
    await eventually(
      () => watch.ageMs(),
      (age) => age === 0,
    );
    watch.close();
    await set([4]);
    assert.deepEqual(urls(), []);
  });

  test(`${name}: a service that nobody knows is an empty list, not a failure`, { skip }, async (t) => {
    const { source } = await start(t);
    t.after(() => source.close());
    let told: readonly Instance[] | undefined;
    const watch = source.watch("nobody", (instances) => {
      told = instances;
    });
    await watch.ready;
    await eventually(
      () => told?.length,
      (count) => count === 0,
    );
    watch.close();
  });
}

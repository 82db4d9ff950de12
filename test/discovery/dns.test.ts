import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Instance } from "../../src/core/upstream.ts";
import { createDnsSource, type DnsSourceOptions } from "../../src/discovery/dns.ts";
import { queryDns, toServers } from "../../src/discovery/dns-query.ts";
import { dnsmasqMissing, startNameServer } from "../support/dnsmasq.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/registry.ts";

const skip = dnsmasqMissing();

function follow(t: TestContext, options: DnsSourceOptions, service = "pets") {
  const source = createDnsSource({ suffix: "test", port: 9000, ...options });
  t.after(() => source.close());
  const state: { told: readonly Instance[] | undefined } = { told: undefined };
  const watch = source.watch(service, (instances) => {
    state.told = instances;
  });
  t.after(() => watch.close());
  const urls = (): string[] | undefined => state.told?.map(({ url }) => url);
  return { state, watch, urls };
}

test("addresses of both families are instances, an IPv6 one in brackets", { skip }, async (t) => {
  const { address } = await startNameServer(t, ["host-record=pets.test,127.0.0.2,fd00::7"]);
  const { urls } = follow(t, { servers: [address] });
  assert.deepEqual(await eventually("both are told", urls), ["http://127.0.0.2:9000", "http://[fd00::7]:9000"]);
});

test("of an SRV record the lowest priority serves, with its ports and weights", { skip }, async (t) => {
  const { address } = await startNameServer(t, [
    "srv-host=_http._tcp.pets.test,a.test,9001,10,30",
    "srv-host=_http._tcp.pets.test,b.test,9002,10,0",
    "srv-host=_http._tcp.pets.test,c.test,9003,20,50",
  ]);
  const { state } = follow(t, { servers: [address] }, "_http._tcp.pets");
  const told = await eventually("they are told", () => state.told);
  assert.deepEqual(
    told.map(({ url, weight }) => [url, weight]),
    [
      ["http://a.test:9001", 30],
      ["http://b.test:9002", 1],
    ],
  );
});

test("an answer that does not fit into a datagram is asked for over TCP", { skip }, async (t) => {
  const numbers = Array.from({ length: 80 }, (_, i) => i + 1);
  const { address } = await startNameServer(
    t,
    numbers.map((number) => `host-record=pets.test,127.0.1.${number}`),
  );
  const { urls } = follow(t, { servers: [address] });
  const told = await eventually("all are told", urls);
  assert.equal(new Set(told).size, 80);
});

test("a name is asked for again when its TTL is over, and not before", { skip }, async (t) => {
  const log = join(await temporaryFolder(t), "queries");
  const { address } = await startNameServer(t, [
    "log-queries",
    `log-facility=${log}`,
    "host-record=short.test,127.0.0.2,1",
    "host-record=long.test,127.0.0.3,300",
  ]);
  const short = follow(t, { servers: [address] }, "short");
  const long = follow(t, { servers: [address] }, "long");
  await eventually("both are told", () => short.state.told && long.state.told);
  const asked = async (name: string): Promise<number> =>
    (await readFile(log, "utf8")).split("\n").filter((line) => line.includes(`query[A] ${name}.test `)).length;
  await eventually("the short one has been asked for three times", async () => (await asked("short")) >= 3);
  assert.equal(await asked("long"), 1);
});

test("a name that is not there is an empty list; a server that refuses or is silent tells nothing", {
  skip,
}, async (t) => {
  const server = await startNameServer(t, ["host-record=pets.test,127.0.0.2"]);
  const servers = [server.address];
  const none = follow(t, { servers }, "nobody");
  assert.deepEqual(await eventually("it is told", none.urls), []);
  const refused = follow(t, { servers, suffix: "elsewhere" });
  await refused.watch.ready;
  assert.equal(refused.state.told, undefined);
  assert.ok(Number.isNaN(refused.watch.ageMs()));
  await assert.rejects(
    queryDns(toServers(servers), "pets.elsewhere", "A"),
    /the name server answered (REFUSED|SERVFAIL)/,
  );

  const { state, watch } = follow(t, { servers: ["127.0.0.1:1", ...servers] });
  await eventually("the next server is asked", () => state.told?.length === 1);
  await server.stop();
  await eventually("its age grows", () => watch.ageMs() > 0);
  assert.equal(state.told?.length, 1);
});

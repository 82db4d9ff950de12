import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import type { Instance } from "../../src/core/upstream.ts";
import { type ConsulSourceOptions, createConsulSource } from "../../src/discovery/consul.ts";
import type { Watch } from "../../src/discovery/source.ts";
import { createGateway } from "../../src/gateway/gateway.ts";
import { type ConsulServer, registerAtConsul, startConsul } from "../support/consul.ts";
import { eventually, temporaryFolder } from "../support/registry.ts";

/** What a source tells of `pets`, up to now. */
function watchPets(
  t: TestContext,
  server: ConsulServer,
  options: ConsulSourceOptions = {},
): { watch: Watch; told(): readonly Instance[]; lists(): number } {
  const source = createConsulSource({ url: server.url, ...options });
  t.after(() => source.close());
  let told: readonly Instance[] = [];
  let lists = 0;
  const watch = source.watch("pets", (instances) => {
    told = instances;
    lists++;
  });
  t.after(() => watch.close());
  return { watch, told: () => told, lists: () => lists };
}

const urlsOf = (told: () => readonly Instance[]) => (): string =>
  told()
    .map(({ url }) => url)
    .join(" ");

test("an instance is read from address or node, port, weights, metadata and tags", async (t) => {
  const server = await startConsul(t);
  for (const service of [
    { ID: "a", Port: 1, Address: "10.0.0.1", Weights: { Passing: 7, Warning: 1 }, Meta: { zone: "z", version: "2" } },
    { ID: "b", Port: 2 },
    { ID: "c", Port: 3, Address: "fd00::1", Tags: ["tls"] },
    { ID: "d", Port: 4, Address: "d.test", Meta: { scheme: "https" } },
    { ID: "no-port", Address: "10.0.0.5" },
    { ID: "no-host", Port: 6, Address: "x@10.0.0.6/" },
  ]) {
    await registerAtConsul(server, { Name: "pets", ...service });
  }
  const { told } = watchPets(t, server);
  await eventually(urlsOf(told), (urls) => urls.split(" ").length > 1);
  assert.equal(urlsOf(told)(), "http://10.0.0.1:1 http://10.1.10.12:2 https://[fd00::1]:3 https://d.test:4");
  const [first, second] = told();
  assert.deepEqual([first?.id, first?.weight, first?.zone, first?.version], ["foobar/a", 7, "z", "2"]);
  assert.equal(second?.weight, 1);
});

test("it waits for changes and does not poll, and says who asks for what", async (t) => {
  const server = await startConsul(t);
  const { told, lists } = watchPets(t, server, { token: "secret", datacenter: "dc1", tag: "public", waitSeconds: 60 });
  await eventually(
    () => server.waiting,
    (count) => count === 1,
  );
  await registerAtConsul(server, { ID: "a", Name: "pets", Address: "10.0.0.1", Port: 1, Tags: ["public"] });
  await eventually(urlsOf(told), (urls) => urls === "http://10.0.0.1:1");
  await eventually(
    () => server.waiting,
    (count) => count === 1,
  );
  assert.deepEqual(
    server.asked.map(({ url, token }) => `${token} ${url.search}`),
    ["", "&index=10&wait=60000ms", "&index=11&wait=60000ms"].map(
      (rest) => `secret ?passing=1&dc=dc1&tag=public${rest}`,
    ),
  );
  assert.equal(lists(), 2);
});

test("a wait that ends without a change keeps in touch and tells nothing", async (t) => {
  const server = await startConsul(t);
  const { watch, lists } = watchPets(t, server, { waitSeconds: 0.05 });
  await eventually(
    () => server.asked.length,
    (count) => count >= 4,
  );
  assert.equal(lists(), 1);
  assert.equal(watch.ageMs(), 0);
});

test("an index that goes back is another history: it is read anew, and followed from there", async (t) => {
  const server = await startConsul(t);
  const { told } = watchPets(t, server);
  await eventually(
    () => server.waiting,
    (count) => count === 1,
  );
  server.restore(3, [{ ID: "old", Name: "pets", Address: "10.0.0.3", Port: 3 }]);
  await eventually(urlsOf(told), (urls) => urls === "http://10.0.0.3:3");
  await eventually(
    () => server.waiting,
    (count) => count === 1,
  );
  assert.deepEqual(
    server.asked.map(({ url }) => url.searchParams.get("index")),
    [null, "10", null, "3"],
  );
  await registerAtConsul(server, { ID: "new", Name: "pets", Address: "10.0.0.4", Port: 4 });
  await eventually(urlsOf(told), (urls) => urls === "http://10.0.0.3:3 http://10.0.0.4:4");
});

test("an index of 0 does not become a question that never waits", async (t) => {
  const server = await startConsul(t);
  server.restore(0, []);
  watchPets(t, server);
  await eventually(
    () => server.waiting,
    (count) => count === 1,
  );
  assert.equal(server.asked.at(-1)?.url.searchParams.get("index"), "1");
});

test("an agent that is away, or no longer takes the token, changes nothing, and is found again", async (t) => {
  const server = await startConsul(t);
  await registerAtConsul(server, { ID: "a", Name: "pets", Address: "10.0.0.1", Port: 1 });
  const { watch, told, lists } = watchPets(t, server, { token: "mine" });
  await eventually(urlsOf(told), (urls) => urls === "http://10.0.0.1:1");
  await server.stop();
  await eventually(
    () => watch.ageMs(),
    (age) => age > 0,
  );
  server.token = "another";
  await server.start();
  const before = server.asked.length;
  await eventually(
    () => server.asked.length,
    (count) => count > before,
  );
  assert.equal(lists(), 1);
  assert.ok(watch.ageMs() > 0);
  server.token = "mine";
  await registerAtConsul(server, { ID: "b", Name: "pets", Address: "10.0.0.2", Port: 2 });
  await eventually(urlsOf(told), (urls) => urls === "http://10.0.0.1:1 http://10.0.0.2:2");
});

test("a route answers from an instance that Consul lists, and still does while Consul is away", async (t) => {
  const server = await startConsul(t);
  const service = createServer((request, response) => response.end(`here is ${request.url}`)).listen(0, "127.0.0.1");
  t.after(() => service.close());
  await new Promise((resolve) => service.once("listening", resolve));
  const { port } = service.address() as AddressInfo;
  await registerAtConsul(server, { ID: "a", Name: "pets", Address: "127.0.0.1", Port: port });
  const folder = await temporaryFolder(t);
  const paths = { "/pets": { get: { operationId: "listPets", responses: { 200: { description: "all" } } } } };
  const spec = { openapi: "3.1.0", info: { title: "Pets", version: "1" }, paths };
  await writeFile(`${folder}/pets.json`, JSON.stringify(spec));
  const gateway = await createGateway({
    folder,
    options: { discovery: { consul: { url: server.url } } },
    routes: [{ openapi: "pets.json", upstream: { service: "pets", from: "consul" } }],
    port: 0,
  });
  t.after(() => gateway.close());
  const url = await gateway.listen();
  const ask = async (): Promise<string> => (await fetch(`${url}/pets`)).text();
  assert.equal(await ask(), "here is /pets");
  await server.stop();
  assert.equal(await ask(), "here is /pets");
});

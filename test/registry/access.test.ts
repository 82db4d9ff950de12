import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { get } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { AddressPolicy } from "../../src/discovery/address-policy.ts";
import { Access } from "../../src/registry/access.ts";
import { LocalRegistry } from "../../src/registry/local-registry.ts";
import { createRegistryServer } from "../../src/registry/server.ts";
import { call, eventually, startTestRegistry, temporaryFolder } from "../support/registry.ts";

const body = { url: "http://127.0.0.1:9000" };

async function startGuarded(t: TestContext): Promise<string> {
  const tokenFile = join(await temporaryFolder(t), "tokens");
  await writeFile(
    tokenFile,
    "# name token role\npets pets-secret\nshops shops-secret\nops ops-secret operator\neye eye-secret reader\n",
  );
  return `${(await startTestRegistry(t, { tokenFile })).url}/v1/services/pets/instances/a`;
}

test("without a token, or with one that nobody has, the answer is 401", async (t) => {
  const at = await startGuarded(t);
  const missing = await call("PUT", at, { body });
  assert.equal(missing.status, 401);
  assert.equal(missing.body.code, "TOKEN_MISSING");
  assert.ok(missing.headers.get("www-authenticate"));
  assert.equal((await call("GET", at, { token: "pets-secre" })).body.code, "TOKEN_INVALID");
});

test("an instance belongs to the token that registered it: another's gets 403, an operator's does not", async (t) => {
  const at = await startGuarded(t);
  assert.equal((await call("PUT", at, { body, token: "pets-secret" })).status, 201);
  const other = { token: "shops-secret" };
  assert.equal((await call("PUT", at, { body, ...other })).status, 403);
  assert.equal((await call("PUT", `${at}/renew`, other)).status, 403);
  assert.equal((await call("PUT", `${at}/status`, { body: { status: "down" }, ...other })).status, 403);
  assert.equal((await call("DELETE", at, other)).status, 403);
  assert.equal((await call("GET", at, other)).body.owner, "pets");
  assert.equal((await call("PUT", `${at}/renew`, { token: "pets-secret" })).status, 204);
  assert.equal((await call("DELETE", at, { token: "ops-secret" })).status, 204);
});

test("a reader's token reads and does not write", async (t) => {
  const at = await startGuarded(t);
  assert.equal((await call("PUT", at, { body, token: "eye-secret" })).status, 403);
  assert.equal((await call("GET", at, { token: "eye-secret" })).status, 404);
});

test("without tokens the registry answers this machine alone, under no other name", async (t) => {
  const { url } = await startTestRegistry(t, { host: "0.0.0.0" });
  const { port } = new URL(url);
  const status = (host: string, name: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      get({ host, port, path: "/v1/services", headers: { host: name } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on("error", reject);
    });
  assert.equal(await status("127.0.0.1", `127.0.0.1:${port}`), 200);
  assert.equal(await status("127.0.0.1", "rebound.example"), 403);
  const outer = Object.values(networkInterfaces())
    .flat()
    .find((own) => own !== undefined && !own.internal && own.family === "IPv4");
  if (outer !== undefined) assert.equal(await status(outer.address, `${outer.address}:${port}`), 403);
});

test("quotas bound what is registered and how fast", async (t) => {
  const { url } = await startTestRegistry(t, { quotas: { instancesPerService: 2, changesPerSecond: 1 } });
  const at = (id: string): string => `${url}/v1/services/pets/instances/${id}`;
  assert.equal((await call("PUT", at("a"), { body })).status, 201);
  assert.equal((await call("PUT", at("b"), { body })).status, 201);
  const full = await call("PUT", at("c"), { body });
  assert.equal(full.status, 403);
  assert.equal(full.body.code, "QUOTA_EXCEEDED");
  let last = full.status;
  for (let i = 0; i < 200 && last !== 429; i++) last = (await call("PUT", at("a"), { body })).status;
  assert.equal(last, 429);
});

test("many that register at once find no more room than one after another", async (t) => {
  const COUNT = 20;
  let [arrived, open] = [0, () => {}];
  const allThere = new Promise<void>((resolve) => {
    open = resolve;
  });
  // As where names are looked up: nobody is through before all have come so far.
  class SlowPolicy extends AddressPolicy {
    override async findRefusalOfUrl(): Promise<undefined> {
      if (++arrived === COUNT) open();
      await allThere;
      return undefined;
    }
  }
  const registry = new LocalRegistry();
  t.after(() => registry.close());
  const parts = { registry, access: new Access({ readToken: "reader" }), addresses: new SlowPolicy() };
  const server = await createRegistryServer({ ...parts, quotas: { instancesPerService: 2 } });
  t.after(() => void server.close().closeAllConnections());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const statuses = await Promise.all(
    Array.from({ length: COUNT }, async (_, i) => {
      return (await call("PUT", `${url}/v1/services/pets/instances/${i}`, { body })).status;
    }),
  );
  assert.equal(statuses.filter((status) => status === 201).length, 2);
  assert.equal(statuses.filter((status) => status === 403).length, COUNT - 2);
});

test("heartbeats and reads are never too many: only changes are counted", async (t) => {
  const { url } = await startTestRegistry(t, { quotas: { changesPerSecond: 1 } });
  const at = `${url}/v1/services/pets/instances/a`;
  const { status, body: made } = await call("PUT", at, { body });
  assert.equal(status, 201);
  for (let i = 0; i < 60; i++) assert.equal((await call("PUT", `${at}/renew?lease=${made.lease}`)).status, 204);
  assert.equal((await call("GET", `${url}/v1/services/pets`)).status, 200);
});

test("watches are bounded, and one that ends makes room", async (t) => {
  const { url } = await startTestRegistry(t, { quotas: { watches: 1 } });
  const wait = `${url}/v1/services/pets?index=${(await call("GET", `${url}/v1/services/pets`)).body.index}&wait=30s`;
  const ending = new AbortController();
  const waiting = fetch(wait, { signal: ending.signal }).catch(() => undefined);
  await eventually(
    async () => (await call("GET", `${wait.replace("30s", "1ms")}`)).status,
    (status) => status === 403,
  );
  ending.abort();
  await waiting;
  await eventually(
    async () => (await call("GET", `${wait.replace("30s", "1ms")}`)).status,
    (status) => status === 200,
  );
});

test("a registration may be so large and no larger", async (t) => {
  const { url } = await startTestRegistry(t);
  const at = `${url}/v1/services/pets/instances/a`;
  const many = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`key-${i}`, "x"]));
  for (const more of [{ metadata: many }, { metadata: { a: "x".repeat(5_000) } }, { zone: "z".repeat(300) }]) {
    const { status } = await call("PUT", at, { body: { ...body, ...more } });
    assert.ok(status === 400 || status === 413, `${status} for ${JSON.stringify(more).slice(0, 60)}`);
  }
});

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

/** `npm start`'s program on free ports: everything below is what a new user would try. */
let folder: string;
let demo: ChildProcess;
let url: string;
let registry: string;
let admin: string;
let token: string;
let output = "";

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "portico-demo-"));
  for (const name of ["openapi", "routes"]) await cp(name, join(folder, name), { recursive: true });
  await writeFile(
    join(folder, "portico.yaml"),
    "listen: { port: 0 }\nadmin: { port: 0, token: test }\nregistry: { embedded: { port: 0, data: ./data/registry } }\n",
  );
  demo = spawn(
    process.execPath,
    ["--import", "tsx", "src/cli/main.ts", "demo", "--config", join(folder, "portico.yaml")],
    {
      env: { ...process.env, PORTICO_ISSUER_PORT: "0" },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  demo.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  while (!/^Portico listening on /m.test(output)) {
    await Promise.race([once(demo.stdout as NonNullable<typeof demo.stdout>, "data"), once(demo, "exit")]);
    assert.equal(demo.exitCode, null, output);
  }
  const find = (pattern: RegExp): string =>
    (pattern.exec(output) ?? assert.fail(`${pattern} is not in ${output}`))[1] as string;
  url = find(/^Portico listening on (\S+)$/m);
  registry = find(/registry +(\S+)\/v1/);
  admin = find(/admin +(\S+)\/metrics/);
  token = find(/Bearer (\S+)'/);
  await until(async () => (await fetch(`${url}/petstore/pets`)).status === 200);
});

after(async () => {
  demo.kill("SIGTERM");
  const code = demo.exitCode ?? (await once(demo, "exit"))[0];
  await rm(folder, { recursive: true, force: true });
  assert.equal(code, 0);
});

/** Polls, with an end. */
async function until(isSo: () => Promise<boolean>, timeoutMs = 30_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isSo())) {
    assert.ok(performance.now() < deadline, "it did not come to be in time");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const post = (body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${url}/petstore/pets`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
const withKey = { "X-API-Key": "demo-key" };

test("a list comes from an instance, and again from the cache", async () => {
  const first = await fetch(`${url}/petstore/pets?limit=2`);
  assert.equal(first.status, 200);
  assert.equal(((await first.json()) as unknown[]).length, 2);
  const second = await fetch(`${url}/petstore/pets?limit=2`);
  assert.match(second.headers.get("cache-status") ?? "", /; hit/);
  assert.equal(((await second.json()) as unknown[]).length, 2);
});

test("a wrong parameter is named by JSON Pointer", async () => {
  const response = await fetch(`${url}/petstore/pets?limit=abc`);
  assert.equal(response.status, 400);
  assert.match(response.headers.get("content-type") ?? "", /^application\/problem\+json/);
  const { violations } = (await response.json()) as { violations: { location: string; pointer: string }[] };
  assert.deepEqual(
    violations.map(({ location, pointer }) => [location, pointer]),
    [["query", "/limit"]],
  );
});

test("an unknown path is 404, a known one with another method 405 with Allow", async () => {
  assert.equal((await fetch(`${url}/petstore/dogs`)).status, 404);
  const response = await fetch(`${url}/petstore/pets`, { method: "DELETE" });
  assert.equal(response.status, 405);
  assert.match(response.headers.get("allow") ?? "", /GET.*POST/);
});

test("adding a pet needs the key and a body that matches, and every violation is listed", async () => {
  const without = await post({ name: "Ida" });
  assert.equal(without.status, 401);
  assert.ok(without.headers.get("www-authenticate"));
  const bad = await post({ tag: "Cat!", colour: "red" }, withKey);
  assert.equal(bad.status, 400);
  const { violations } = (await bad.json()) as { violations: { pointer: string; keyword: string }[] };
  assert.deepEqual(violations.map(({ keyword }) => keyword).sort(), ["additionalProperties", "pattern", "required"]);
  const good = await post({ name: "Ida", tag: "cat" }, withKey);
  assert.equal(good.status, 201);
  const created = await fetch(`${url}${good.headers.get("location")}`);
  assert.equal(((await created.json()) as { name: string }).name, "Ida");
});

test("the issuer's token is accepted where the document asks for one, and nothing else is", async () => {
  const remove = (headers: Record<string, string>): Promise<Response> =>
    fetch(`${url}/petstore/pets/3`, { method: "DELETE", headers });
  assert.equal((await remove({})).status, 401);
  assert.equal((await remove({ Authorization: `Bearer ${token}x` })).status, 401);
  assert.equal((await remove({ Authorization: `Bearer ${token}` })).status, 204);
  assert.equal((await fetch(`${url}/petstore/pets/3`)).status, 404);
});

test("the 101st request in a minute of one consumer is refused", async () => {
  const send = (): Promise<Response> => fetch(`${url}/petstore/pets?limit=1`, { headers: withKey });
  let response = await send();
  for (let i = 0; i < 300 && response.status === 200; i++) {
    await response.arrayBuffer();
    response = await send();
  }
  assert.equal(response.status, 429);
  for (const name of ["retry-after", "ratelimit", "ratelimit-policy"]) assert.ok(response.headers.get(name), name);
});

test("the portal shows the API, and the admin API tells what is served", async () => {
  assert.match(await (await fetch(`${url}/portal`)).text(), /swagger-ui/);
  const { paths } = (await (await fetch(`${url}/portal/apis/0.json`)).json()) as { paths: object };
  assert.ok("/pets" in paths);
  assert.equal((await fetch(`${admin}/v1/routes`)).status, 401);
  const routes = await (await fetch(`${admin}/v1/routes`, { headers: { Authorization: "Bearer test" } })).json();
  assert.equal((routes as unknown[]).length, 5);
  assert.match(
    await (await fetch(`${admin}/metrics`)).text(),
    /portico_requests_total\{operation="GET \/petstore\/pets"/,
  );
});

test("kill -9 of an instance under load fails no read, and its lease ends", async () => {
  const [pid] = (/processes (\d+)/.exec(output) ?? assert.fail("no instance named")).slice(1).map(Number);
  const failures: unknown[] = [];
  const reads: Promise<void>[] = [];
  const started = performance.now();
  const read = async (i: number): Promise<void> => {
    const response = await fetch(`${url}/petstore/pets/1?n=${i}`);
    await response.arrayBuffer();
    if (response.status !== 200) failures.push(response.status);
  };
  let isKilled = false;
  // 200 a second by the clock: each turn sends what is due.
  for (let sent = 0; sent < 600; ) {
    const due = Math.min(600, Math.floor((performance.now() - started) / 5));
    while (sent < due) reads.push(read(sent++).catch((error: unknown) => void failures.push(error)));
    if (!isKilled && sent >= 200) {
      isKilled = true;
      process.kill(pid as number, "SIGKILL");
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await Promise.all(reads);
  assert.deepEqual(failures, []);
  await until(async () => {
    const known = (await (await fetch(`${registry}/v1/services/petstore`)).json()) as { instances: unknown[] };
    return known.instances.length === 1;
  });
});

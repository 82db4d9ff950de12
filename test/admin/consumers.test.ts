import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join, resolve } from "node:path";
import { type TestContext, test } from "node:test";
import jwt from "jsonwebtoken";
import { createGateway } from "../../src/index.ts";
import { folderWith } from "../support/cli.ts";
import { eventually } from "../support/eventually.ts";
import { listen } from "../support/plugin-gateway.ts";

const SECRET = "a secret of thirty-two bytes or more";
const SPEC = JSON.stringify({
  openapi: "3.1.0",
  info: { title: "Pets", version: "1" },
  paths: {
    "/pets": {
      get: {
        security: [{ key: [] }, { basic: [] }, { bearer: [] }],
        responses: { 200: { description: "ok" } },
      },
    },
  },
  components: {
    securitySchemes: {
      key: { type: "apiKey", in: "header", name: "X-Key" },
      basic: { type: "http", scheme: "basic" },
      bearer: { type: "http", scheme: "bearer" },
    },
  },
});

interface Told {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly detail: string;
  readonly code: string;
}

/** A gateway whose consumers the admin API keeps. Its admin API is asked through a gateway that enforces its description. */
async function start(t: TestContext, folder: string) {
  const gateway = await createGateway({ file: join(folder, "portico.yaml") });
  const url = await gateway.listen();
  const front = await createGateway({
    port: 0,
    folder,
    options: {},
    routes: [
      {
        openapi: resolve("openapi/admin.yaml"),
        security: "upstream",
        cache: { mode: "off" },
        validate: { request: "off", response: "enforce" },
        upstream: { targets: [{ url: String(gateway.adminUrl) }] },
      },
    ],
  });
  const adminUrl = await front.listen();
  const close = async (): Promise<void> => {
    await front.close();
    await gateway.close();
  };
  t.after(close);
  const admin = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${adminUrl}/v1/consumers${path}`, {
      method,
      headers: { Authorization: "Bearer right", "Content-Type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, text, body: (text === "" ? {} : JSON.parse(text)) as Told };
  };
  const ask = async (
    headers: Record<string, string>,
  ): Promise<{ status: number; consumer: string; groups: string }> => {
    const response = await fetch(`${url}/pets`, { headers });
    const text = await response.text();
    const seen = (response.status === 200 ? JSON.parse(text) : {}) as Record<string, string>;
    return {
      status: response.status,
      consumer: seen["x-consumer-name"] ?? "",
      groups: seen["x-consumer-groups"] ?? "",
    };
  };
  const withKey = async (key: string): Promise<number> => (await ask({ "X-Key": key })).status;
  return { gateway, admin, ask, withKey, close };
}

async function folderFor(t: TestContext, config = ""): Promise<string> {
  const service = createServer((request, response) => response.end(JSON.stringify(request.headers)));
  const target = await listen(service);
  t.after(() => service.close());
  return folderWith(t, {
    "portico.yaml": `listen: { port: 0 }\nadmin: { port: 0, token: right, consumers: data/consumers }\n${config}`,
    "pets.json": SPEC,
    "routes/pets.yaml": `openapi: ../pets.json
cache: { mode: "off" }
upstream: { targets: [{ url: "${target}" }] }
security: { key: { api-key: {} }, basic: { basic-auth: {} }, bearer: { jwt: { secret: "${SECRET}" } } }
plugins: [{ rate-limit: { rate: 2/day, by: consumer } }]
`,
  });
}

const basic = (name: string, password: string): Record<string, string> => ({
  Authorization: `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`,
});
const bearer = (claims: object): Record<string, string> => ({
  Authorization: `Bearer ${jwt.sign(claims, SECRET, { expiresIn: 60 })}`,
});

test("a consumer is made while the gateway runs, with groups, limits and keys of its own, and ended again", async (t) => {
  const { admin, ask, withKey } = await start(t, await folderFor(t));
  assert.equal((await admin("PUT", "/ada", { groups: ["gold"] })).status, 201);
  const made = await admin("POST", "/ada/credentials", { apiKey: true });
  assert.equal(made.status, 201, made.text);
  const { key, id } = made.body;
  assert.deepEqual(await ask({ "X-Key": key }), { status: 200, consumer: "ada", groups: "gold" });
  assert.deepEqual([await withKey(key), await withKey(key)], [200, 429], "the route's own limit");
  const plugins = [{ "rate-limit": { rate: "100/day", by: "consumer" } }];
  assert.equal((await admin("PUT", "/ada", { groups: ["silver"], plugins })).status, 200);
  assert.deepEqual(await ask({ "X-Key": key }), { status: 200, consumer: "ada", groups: "silver" });
  const rotated = await admin("POST", `/ada/credentials/${id}/rotate`, { graceSeconds: 3600 });
  assert.deepEqual([await withKey(key), await withKey(rotated.body.key)], [200, 200]);
  assert.equal((await admin("PATCH", `/ada/credentials/${id}`, { expires: "2020-01-01T00:00:00Z" })).status, 204);
  assert.deepEqual([await withKey(key), await withKey(rotated.body.key)], [401, 200]);
  assert.equal((await admin("DELETE", `/ada/credentials/${rotated.body.id}`)).status, 204);
  assert.equal(await withKey(rotated.body.key), 401);
  assert.equal((await admin("DELETE", "/ada")).status, 204);
  assert.equal((await admin("GET", "/ada")).status, 404);
});

test("passwords and tokens of a consumer count at once, and no longer once they are taken away", async (t) => {
  const { admin, ask } = await start(t, await folderFor(t));
  const plugins = [{ "rate-limit": { rate: "100/day" } }];
  await admin("PUT", "/ada", { groups: ["gold"], plugins });
  const password = await admin("POST", "/ada/credentials", { username: "ada@example", password: "correct horse" });
  const token = await admin("POST", "/ada/credentials", { token: { issuer: "https://id.example", subject: "4711" } });
  const gold = { status: 200, consumer: "ada", groups: "gold" };
  const claims = { iss: "https://id.example", sub: "4711" };
  const header = bearer(claims);
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(await ask(basic("ada@example", "correct horse")), gold);
    assert.deepEqual(await ask(header), gold);
  }
  assert.equal((await ask(basic("ada@example", "wrong horse"))).status, 401);
  assert.equal((await ask(bearer({ ...claims, iss: "https://other.example" }))).consumer, "4711");
  await admin("DELETE", `/ada/credentials/${password.body.id}`);
  await admin("DELETE", `/ada/credentials/${token.body.id}`);
  assert.equal((await ask(basic("ada@example", "correct horse"))).status, 401, "though it was remembered");
  assert.equal((await ask(header)).consumer, "4711", "a verified token still, but not ada's");
});

test("a password that has an end is not remembered beyond it", async (t) => {
  const { admin, ask } = await start(t, await folderFor(t));
  await admin("PUT", "/ada", { plugins: [{ "rate-limit": { rate: "10000/day" } }] });
  const expires = new Date(Date.now() + 5_000).toISOString();
  await admin("POST", "/ada/credentials", { password: "correct horse", expires });
  const { status } = await ask(basic("ada", "correct horse"));
  assert.ok(status === 200 || Date.now() > Date.parse(expires), String(status));
  await eventually("a refusal", async () => (await ask(basic("ada", "correct horse"))).status === 401);
  assert.ok(Date.now() >= Date.parse(expires), "not before its end");
});

test("a quota of a consumer holds over a restart, and secrets are neither kept nor told", async (t) => {
  const folder = await folderFor(t, "store: { disk: data/state }\n");
  const first = await start(t, folder);
  await first.admin("PUT", "/ada", {
    quotas: [{ limit: 2, per: "month" }],
    plugins: [{ "rate-limit": { rate: "9/s" } }],
  });
  const { key } = (await first.admin("POST", "/ada/credentials", { apiKey: true })).body;
  await first.admin("POST", "/ada/credentials", { password: "correct horse" });
  assert.equal(await first.withKey(key), 200);
  const list = (await first.admin("GET", "")).text;
  for (const secret of [key, "correct horse", "sha256:", "$scrypt$"]) assert.ok(!list.includes(secret), secret);
  for (const file of await readdir(join(folder, "data/consumers"))) {
    const bytes = await readFile(join(folder, "data/consumers", file), "latin1");
    for (const secret of [key, "correct horse"]) assert.ok(!bytes.includes(secret), `${file} has ${secret}`);
  }
  await first.close();
  const second = await start(t, folder);
  assert.deepEqual([await second.withKey(key), await second.withKey(key)], [200, 429]);
});

test("another gateway on the same folder, and a reload, know the consumer, too", async (t) => {
  const folder = await folderFor(t);
  const [one, two] = [await start(t, folder), await start(t, folder)];
  await one.admin("PUT", "/ada", { plugins: [{ "rate-limit": { rate: "1000/day" } }] });
  const { key, id } = (await one.admin("POST", "/ada/credentials", { apiKey: true })).body;
  await eventually("the other gateway to know the key", async () => (await two.withKey(key)) === 200);
  await one.gateway.reload();
  assert.equal(await one.withKey(key), 200);
  await two.admin("DELETE", `/ada/credentials/${id}`);
  assert.equal(await two.withKey(key), 401);
  await eventually("the first to forget it", async () => (await one.withKey(key)) === 401);
});

test("what is wrong changes nothing and says what it is", async (t) => {
  const config = "consumers: { bob: { credentials: [{ apiKey: the-key-of-bob }] } }\n";
  const { admin, withKey } = await start(t, await folderFor(t, config));
  assert.equal(await withKey("the-key-of-bob"), 200, "a key of the configuration");
  for (const [path, body, status, said] of [
    ["/ada", { group: ["x"] }, 400, /group is not a key; did you mean groups/],
    ["/ada", { plugins: [{ "rate-limit": { rate: "fast" } }] }, 422, /rate/],
    ["/ada", { plugins: [{ nonsense: {} }] }, 422, /nonsense/],
    ["/ada", { plugins: [{ acl: {} }] }, 422, /at least one/],
    ["/ada", { quotas: [{ limit: 0, per: "month" }] }, 400, /limit/],
    ["/bob", {}, 409, /change it there/],
  ] as const) {
    const refused = await admin("PUT", path, body);
    assert.equal(refused.status, status, JSON.stringify(body));
    assert.match(refused.text, said);
  }
  assert.equal((await admin("GET", "/ada")).status, 404);
  await admin("PUT", "/ada", {});
  for (const [body, status, said] of [
    [{}, 422, /write one of apiKey/],
    [{ apiKey: true, certificate: "dns:ada" }, 422, /write one of apiKey/],
    [{ apiKey: "short" }, 400, /apiKey/],
    [{ apiKey: true, expires: "soon" }, 422, /write a date/],
    [{ apiKey: "the-key-of-bob-x" }, 201, /api-key/],
    [{ apiKey: "the-key-of-bob-x" }, 422, /of ada already/],
    [{ token: { issuer: "a" } }, 400, /subject/],
  ] as const) {
    const answer = await admin("POST", "/ada/credentials", body);
    assert.equal(answer.status, status, JSON.stringify(body));
    assert.match(answer.text, said);
  }
  assert.equal((await admin("POST", "/eve/credentials", { apiKey: true })).status, 404);
});

test("a plugin without a list of its own, where no consumer can have a credential, keeps the gateway from starting", async (t) => {
  const folder = await folderWith(t, {
    "portico.yaml": "listen: { port: 0 }\n",
    "pets.json": SPEC,
    "routes/pets.yaml":
      "openapi: ../pets.json\nmock: true\nsecurity: { key: { api-key: {} }, basic: { basic-auth: {} }, bearer: upstream }\n",
  });
  await assert.rejects(createGateway({ file: join(folder, "portico.yaml") }), (error: Error) => {
    assert.match(error.message, /api-key: it lacks keys/);
    assert.match(error.message, /basic-auth: it lacks users/);
    return true;
  });
});

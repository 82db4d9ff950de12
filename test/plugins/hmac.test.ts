import assert from "node:assert/strict";
import { createHash, createHmac, generateKeyPairSync, sign as signBytes } from "node:crypto";
import { request } from "node:http";
import { test } from "node:test";
import { httpbis, type Request, type SigningKey } from "http-message-signatures";
import { redisMissing, startRedisServer } from "../support/redis-server.ts";
import { startSecuredGateway } from "../support/secured-gateway.ts";

const secret = "a shared secret of some length";
const hmac: SigningKey = {
  id: "key-1",
  alg: "hmac-sha256",
  sign: async (data) => createHmac("sha256", secret).update(data).digest(),
};
const FIELDS = ["@method", "@authority", "@path", "@query"];
const plugins = (more: object = {}) => ({
  plugins: [{ hmac: { keys: { "key-1": { consumer: "ada", secret } }, ...more } }],
});
const digest = (body: string): string => `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;

/** Signed by a library of others: what it signs is what the standard says. */
async function signed(request: Request, key = hmac, config: object = {}): Promise<Record<string, string>> {
  const fields = request.headers["Content-Digest"] === undefined ? FIELDS : [...FIELDS, "content-digest"];
  const message = await httpbis.signMessage(
    { key, name: "sig", fields, params: ["created", "keyid", "alg"], ...config },
    request,
  );
  return message.headers as Record<string, string>;
}
const send = async (url: string, method: string, headers: Record<string, string>, body?: string): Promise<number> =>
  (await fetch(url, { method, headers, ...(body !== undefined && { body }) })).status;

test("a request signed by another implementation is accepted, once, and names the consumer", async (t) => {
  const { url, seen } = await startSecuredGateway(t, [], plugins());
  const target = `${url}/things?limit=2`;
  const headers = await signed({ method: "GET", url: target, headers: {} });
  assert.equal(await send(target, "GET", headers), 200);
  assert.equal(seen[0]?.headers["x-consumer-name"], "ada");
  assert.equal(seen[0]?.headers.signature, undefined);
  assert.equal(await send(target, "GET", headers), 401, "a replay");
  assert.equal(await send(`${url}/things?limit=3`, "GET", headers), 401, "another query");
  assert.equal(await send(target, "POST", headers), 401, "another method");
  assert.equal(await send(target, "GET", {}), 401, "no signature");
  assert.equal(seen.length, 1);
});

test("the body is held against the digest that is signed with it", async (t) => {
  const { url, seen } = await startSecuredGateway(t, [], plugins({ replay: "allow" }));
  const target = `${url}/things?`;
  const body = '{"a":1}';
  const headers = {
    ...(await signed({ method: "POST", url: target, headers: { "Content-Digest": digest(body) } })),
    "Content-Type": "application/json",
  };
  assert.equal(await send(target, "POST", headers, body), 200);
  assert.equal(await send(target, "POST", headers, '{"a":2}'), 401);
  const undigested = await signed({ method: "POST", url: target, headers: {} });
  assert.equal(await send(target, "POST", { ...undigested, "Content-Type": "application/json" }, body), 401);
  assert.equal(seen.length, 1);
});

test("a signature that is old, early, unknown or covers too little is refused", async (t) => {
  const { url, seen } = await startSecuredGateway(t, [], plugins());
  const request = { method: "GET", url: `${url}/things`, headers: {} };
  const minutes = (count: number): Date => new Date(Date.now() + count * 60_000);
  for (const [name, key, config] of [
    ["old", hmac, { paramValues: { created: minutes(-10) } }],
    ["early", hmac, { paramValues: { created: minutes(10) } }],
    ["undated", hmac, { params: ["keyid"] }],
    ["of an unknown key", { ...hmac, id: "key-2" }, {}],
    ["of no key", hmac, { params: ["created"] }],
    ["with another algorithm", { ...hmac, alg: "rsa-v1_5-sha256" }, {}],
    ["of the path alone", hmac, { fields: ["@path"] }],
    [
      "with another secret",
      { ...hmac, sign: async (data: Buffer) => createHmac("sha256", "other").update(data).digest() },
      {},
    ],
  ] as const) {
    assert.equal(await send(request.url, "GET", await signed(request, key as SigningKey, config)), 401, name);
  }
  assert.equal(await send(request.url, "GET", { "Signature-Input": "sig=(", Signature: "x" }), 401, "malformed");
  assert.equal(seen.length, 0);
});

for (const [algorithm, pair, hash] of [
  ["ed25519", generateKeyPairSync("ed25519"), undefined],
  ["rsa-v1_5-sha256", generateKeyPairSync("rsa", { modulusLength: 2048 }), "sha256"],
] as const) {
  test(`a signature by ${algorithm} is accepted from its key alone`, async (t) => {
    const publicKey = pair.publicKey.export({ type: "spki", format: "pem" });
    const keys = { "key-1": { consumer: "ada", publicKey, algorithm } };
    const { url } = await startSecuredGateway(t, [], { plugins: [{ hmac: { keys } }] });
    const key: SigningKey = {
      id: "key-1",
      alg: algorithm,
      sign: async (data) => signBytes(hash, data, pair.privateKey),
    };
    const request = { method: "GET", url: `${url}/things`, headers: {} };
    assert.equal(await send(request.url, "GET", await signed(request, key)), 200);
    assert.equal(await send(request.url, "GET", await signed(request, { ...hmac, alg: algorithm })), 401);
  });
}

test("a key that does not fit its algorithm keeps the gateway from starting", async (t) => {
  for (const key of [
    { consumer: "a" },
    { consumer: "a", secret, algorithm: "ed25519" },
    { consumer: "a", secret: "short" },
  ]) {
    await assert.rejects(startSecuredGateway(t, [], { plugins: [{ hmac: { keys: { k: key } } }] }));
  }
});

test("a signature counts once at all gateways that share a store, and not at all while that is away", {
  skip: redisMissing() ?? false,
}, async (t) => {
  const redis = await startRedisServer(t);
  const options = { store: { redis: redis.url, redisTimeoutMs: 20_000 } };
  const gateways = [
    await startSecuredGateway(t, [], plugins(), { options }),
    await startSecuredGateway(t, [], plugins(), { options }),
  ];
  // As behind one balancer: the same authority for each.
  const target = "http://api.example/things?limit=2";
  const ask = (i: number, headers: Record<string, string>): Promise<number> =>
    new Promise((resolve, reject) => {
      const to = new URL(gateways[i]?.url ?? "");
      const outgoing = request(
        { port: to.port, path: "/things?limit=2", headers: { ...headers, Host: "api.example" } },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode ?? 0);
        },
      );
      outgoing.on("error", reject);
      outgoing.end();
    });
  const sign = (): Promise<Record<string, string>> => signed({ method: "GET", url: target, headers: {} });
  const first = await sign();
  assert.equal(await ask(0, first), 200);
  assert.deepEqual([await ask(1, first), await ask(0, first)], [401, 401]);
  const nonce = { params: ["created", "keyid", "alg", "nonce"], paramValues: { nonce: "another" } };
  const second = await signed({ method: "GET", url: target, headers: {} }, hmac, nonce);
  const statuses = await Promise.all(Array.from({ length: 20 }, (_, i) => ask(i % 2, second)));
  assert.deepEqual(statuses.toSorted(), [200, ...Array.from({ length: 19 }, () => 401)]);
  await redis.kill();
  const third = await signed({ method: "GET", url: target, headers: {} }, hmac, {
    ...nonce,
    paramValues: { nonce: "a third" },
  });
  assert.equal(await ask(1, third), 503);
});

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { SignJWT } from "jose";
import { startSecuredGateway } from "../support/secured-gateway.ts";

const secret = "a secret of thirty-two bytes, or more";
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const rsaPem = rsa.publicKey.export({ type: "spki", format: "pem" }) as string;
const inAnHour = (): number => Math.floor(Date.now() / 1000) + 3600;

const sign = (
  claims: Record<string, unknown>,
  header: Record<string, unknown> = {},
  key: unknown = Buffer.from(secret),
) =>
  new SignJWT({ sub: "ada", exp: inAnHour(), ...claims })
    .setProtectedHeader({ alg: "HS256", ...header } as { alg: string })
    .sign(key as Uint8Array);
const bearer = async (token: string | Promise<string>): Promise<Record<string, string>> => ({
  Authorization: `Bearer ${await token}`,
});

const guarded = { security: { bearer: { jwt: { secret, issuer: "https://id.example", audience: "things" } } } };
const good = { iss: "https://id.example", aud: "things", scope: "things:read" };

test("a token with the scope that the spec asks for is let through, and the upstream learns who calls", async (t) => {
  const { get, seen } = await startSecuredGateway(t, [{ bearer: ["things:read"] }], guarded);
  assert.equal((await get(await bearer(sign(good)))).status, 200);
  assert.equal(seen[0]?.headers["x-consumer-name"], "ada");
  assert.equal(seen[0]?.headers["x-consumer-scopes"], "things:read");
  assert.equal(seen[0]?.headers.authorization, undefined);
});

test("no token is 401 with a challenge, and a token without the scope is 403 that names it", async (t) => {
  const { get, seen } = await startSecuredGateway(t, [{ bearer: ["things:read"] }], guarded);
  const missing = await get();
  assert.deepEqual([missing.status, missing.code, missing.challenge], [401, "TOKEN_MISSING", 'Bearer realm="portico"']);
  const poor = await get(await bearer(sign({ ...good, scope: "things:write" })));
  assert.deepEqual([poor.status, poor.code], [403, "SCOPE_MISSING"]);
  assert.equal(poor.challenge, 'Bearer error="insufficient_scope", scope="things:read"');
  assert.equal(seen.length, 0);
});

test("scopes are found as a string or a list, under any of their usual names", async (t) => {
  const { get } = await startSecuredGateway(t, [{ bearer: ["things:read"] }], guarded);
  const { scope: _, ...unscoped } = good;
  for (const claim of [
    { scope: "a things:read b" },
    { scp: ["things:read"] },
    { scopes: ["things:read"] },
    { roles: ["things:read"] },
    { realm_access: { roles: ["things:read"] } },
  ]) {
    assert.equal((await get(await bearer(sign({ ...unscoped, ...claim })))).status, 200, JSON.stringify(claim));
  }
});

test("a second request with the same token is answered from memory, until the token expires", async (t) => {
  const { get } = await startSecuredGateway(t, [{ bearer: [] }], guarded);
  const headers = await bearer(sign({ ...good, exp: Math.floor(Date.now() / 1000) + 2 }));
  assert.equal((await get(headers)).status, 200);
  const deadline = Date.now() + 10_000;
  let status = 200;
  while (status === 200 && Date.now() < deadline) status = (await get(headers)).status;
  assert.equal(status, 401);
});

test("the route can let the upstream see the token, and tell it claims in fields that no client can forge", async (t) => {
  const { get, seen } = await startSecuredGateway(t, [{ bearer: [] }], {
    security: { bearer: { jwt: { secret, forwardCredential: true, headers: { "X-Email": "email" } } } },
  });
  await get({ ...(await bearer(sign({ email: "ada@example.com" }))), "X-Email": "root@example.com" });
  await get({ ...(await bearer(sign({}))), "X-Email": "root@example.com", "X-Consumer-Name": "root", X_Email: "root" });
  assert.match(seen[0]?.headers.authorization as string, /^Bearer /);
  assert.equal(seen[0]?.headers["x-email"], "ada@example.com");
  assert.equal(seen[1]?.headers["x-email"], undefined);
  assert.equal(seen[1]?.headers.x_email, undefined);
  assert.equal(seen[1]?.headers["x-consumer-name"], "ada");
});

test("a claim with a line break cannot write a field of its own", async (t) => {
  const { get, seen } = await startSecuredGateway(t, [{ bearer: [] }], {
    security: { bearer: { jwt: { secret, headers: { "X-Email": "email" } } } },
  });
  const token = sign({ sub: "ada\r\nX-Admin: yes", email: "a\r\nX-Admin: yes" });
  assert.equal((await get(await bearer(token))).status, 200);
  assert.equal(seen[0]?.headers["x-admin"], undefined);
});

for (const alg of [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "HS256",
  "HS384",
  "HS512",
]) {
  test(`a token signed by ${alg} is verified by its key`, async (t) => {
    const { privateKey, options } = pairFor(alg);
    const { get } = await startSecuredGateway(t, [{ bearer: [] }], { security: { bearer: { jwt: options } } });
    assert.equal((await get(await bearer(sign({}, { alg }, privateKey)))).status, 200);
    const other = pairFor(alg);
    assert.equal((await get(await bearer(sign({}, { alg }, other.privateKey)))).status, 401);
  });
}

function pairFor(alg: string): { privateKey: unknown; options: Record<string, unknown> } {
  if (alg.startsWith("HS")) {
    const own = `${Math.random()} and more, so that it is as long as the digest of the algorithm asks for, or longer`;
    return { privateKey: Buffer.from(own), options: { secret: own } };
  }
  const curve = { ES256: "P-256", ES384: "P-384", ES512: "P-521" }[alg];
  const pair =
    alg === "EdDSA"
      ? generateKeyPairSync("ed25519")
      : curve === undefined
        ? generateKeyPairSync("rsa", { modulusLength: 2048 })
        : generateKeyPairSync("ec", { namedCurve: curve });
  return {
    privateKey: pair.privateKey,
    options: { publicKey: pair.publicKey.export({ type: "spki", format: "pem" }) },
  };
}

test("a gateway whose jwt plugin has no keys, unfit keys or two sources of them does not start", async (t) => {
  const privatePem = rsa.privateKey.export({ type: "pkcs8", format: "pem" });
  for (const [options, complaint] of [
    [{}, /nothing says which keys sign the tokens/],
    [{ secret, publicKey: rsaPem }, /write one of/],
    [{ secret: rsaPem }, /secret is a PEM document/],
    [{ publicKey: privatePem }, /private key/],
    [{ publicKey: "nowhere.pem" }, /there is no file/],
    [{ publicKey: rsaPem, algorithms: ["HS256"] }, /no key can verify HS256/],
    [{ secret, algorithms: ["none"] }, /algorithms/],
    [{ secret, audiance: "x" }, /did you mean audience/],
  ] as const) {
    await assert.rejects(
      startSecuredGateway(t, [{ bearer: [] }], { security: { bearer: { jwt: options } } }),
      complaint,
    );
  }
});

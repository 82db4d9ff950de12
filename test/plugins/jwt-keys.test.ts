import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { createServer } from "node:http";
import { type TestContext, test } from "node:test";
import { SignJWT } from "jose";
import { listen } from "../support/plugin-gateway.ts";
import { startSecuredGateway } from "../support/secured-gateway.ts";

interface Pair {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly jwk: object;
}
const pair = (kid: string): Pair => {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { kid, privateKey, jwk: { ...publicKey.export({ format: "jwk" }), kid, use: "sig", alg: "ES256" } };
};
const token = ({ kid, privateKey }: Pair): Promise<string> =>
  new SignJWT({ sub: "ada" }).setProtectedHeader({ alg: "ES256", kid }).setExpirationTime("1h").sign(privateKey);

/** An issuer whose keys, health and name can change. */
async function startIssuer(t: TestContext) {
  const issuer = { keys: [] as object[], status: 200, fetches: 0, url: "", name: undefined as string | undefined };
  const server = createServer((request, response) => {
    response.statusCode = issuer.status;
    if (request.url === "/.well-known/openid-configuration") {
      response.end(JSON.stringify({ issuer: issuer.name ?? issuer.url, jwks_uri: `${issuer.url}/keys` }));
      return;
    }
    issuer.fetches++;
    response.end(JSON.stringify({ keys: issuer.keys }));
  });
  issuer.url = await listen(server);
  t.after(() => server.close());
  return issuer;
}

const start = (t: TestContext, jwt: Record<string, unknown>) =>
  startSecuredGateway(t, [{ bearer: [] }], { security: { bearer: { jwt } } });
type Gateway = Awaited<ReturnType<typeof start>>;
const ask = async ({ get }: Gateway, by: Pair): Promise<number> =>
  (await get({ Authorization: `Bearer ${await token(by)}` })).status;

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, "it did not come about in time");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("keys are fetched once for many tokens, and again when a token names a new one", async (t) => {
  const issuer = await startIssuer(t);
  const [first, second] = [pair("1"), pair("2")];
  issuer.keys = [first.jwk];
  const gateway = await start(t, { jwksUrl: `${issuer.url}/keys`, cooldownSeconds: 0.1 });
  const statuses = await Promise.all(Array.from({ length: 20 }, () => ask(gateway, first)));
  assert.deepEqual([...new Set(statuses)], [200]);
  assert.equal(issuer.fetches, 1);
  issuer.keys = [first.jwk, second.jwk];
  await until(async () => (await ask(gateway, second)) === 200);
  assert.equal(issuer.fetches, 2);
});

test("a flood of unknown key ids makes one fetch, not a flood", async (t) => {
  const issuer = await startIssuer(t);
  const known = pair("known");
  issuer.keys = [known.jwk];
  const gateway = await start(t, { jwksUrl: `${issuer.url}/keys`, cooldownSeconds: 300 });
  assert.equal(await ask(gateway, known), 200);
  const strangers = await Promise.all(Array.from({ length: 30 }, (_, i) => ask(gateway, pair(`stranger-${i}`))));
  assert.deepEqual([...new Set(strangers)], [401]);
  assert.equal(issuer.fetches, 1);
});

test("the last good keys are kept while the issuer is away or talks nonsense", async (t) => {
  const issuer = await startIssuer(t);
  const known = pair("known");
  issuer.keys = [known.jwk];
  const gateway = await start(t, {
    jwksUrl: `${issuer.url}/keys`,
    cooldownSeconds: 0.1,
    maxAgeSeconds: 1,
    remember: 0,
  });
  assert.equal(await ask(gateway, known), 200);
  issuer.status = 503;
  await until(async () => (await ask(gateway, known)) === 200 && issuer.fetches >= 3);
  issuer.status = 200;
  issuer.keys = [];
  const before = issuer.fetches;
  await until(async () => (await ask(gateway, known)) === 200 && issuer.fetches >= before + 2);
});

test("a key that the issuer withdraws takes its remembered tokens with it", async (t) => {
  const issuer = await startIssuer(t);
  const [lost, next] = [pair("lost"), pair("next")];
  issuer.keys = [lost.jwk];
  const gateway = await start(t, { jwksUrl: `${issuer.url}/keys`, cooldownSeconds: 0.1, maxAgeSeconds: 1 });
  const headers = { Authorization: `Bearer ${await token(lost)}` };
  assert.equal((await gateway.get(headers)).status, 200);
  issuer.keys = [next.jwk];
  await until(async () => (await gateway.get(headers)).status === 401);
});

test("while no key has ever been had, tokens cannot be checked: 503, and nothing passes", async (t) => {
  const issuer = await startIssuer(t);
  issuer.status = 500;
  const gateway = await start(t, { jwksUrl: `${issuer.url}/keys`, cooldownSeconds: 0.1 });
  const known = pair("known");
  const answer = await gateway.get({ Authorization: `Bearer ${await token(known)}` });
  assert.deepEqual([answer.status, answer.code], [503, "AUTH_UNAVAILABLE"]);
  assert.equal(gateway.seen.length, 0);
  issuer.status = 200;
  issuer.keys = [known.jwk];
  await until(async () => (await ask(gateway, known)) === 200);
});

test("the keys of an OpenID Connect issuer are found by discovery, if it is the issuer it claims to be", async (t) => {
  const issuer = await startIssuer(t);
  const known = pair("known");
  issuer.keys = [known.jwk];
  assert.equal(await ask(await start(t, { discovery: issuer.url }), known), 200);
  issuer.name = "https://other.example";
  assert.equal(await ask(await start(t, { discovery: issuer.url }), known), 503);
});

test("a published symmetric key, or one for encryption, verifies nothing", async (t) => {
  const issuer = await startIssuer(t);
  const known = pair("known");
  const k = Buffer.from("a secret that everybody can read, alas").toString("base64url");
  issuer.keys = [known.jwk, { kty: "oct", k, kid: "oct" }, { ...pair("enc").jwk, use: "enc" }];
  const gateway = await start(t, { jwksUrl: `${issuer.url}/keys`, cooldownSeconds: 300 });
  const forged = await new SignJWT({ sub: "root" })
    .setProtectedHeader({ alg: "HS256", kid: "oct" })
    .setExpirationTime("1h")
    .sign(Buffer.from(k, "base64url"));
  assert.equal(await ask(gateway, known), 200);
  assert.equal((await gateway.get({ Authorization: `Bearer ${forged}` })).status, 401);
});

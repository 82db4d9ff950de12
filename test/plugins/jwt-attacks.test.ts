import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, sign as signBytes } from "node:crypto";
import { createServer, request } from "node:http";
import { test } from "node:test";
import { CompactEncrypt } from "jose";
import { listen } from "../support/plugin-gateway.ts";
import { type SecuredGateway, startSecuredGateway } from "../support/secured-gateway.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const rsaPem = rsa.publicKey.export({ type: "spki", format: "pem" }) as string;
const now = (): number => Math.floor(Date.now() / 1000);
const encode = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** A token by hand, so that it can be wrong in every way. Objects are serialised; text goes in as it is. */
function forge(header: unknown, claims: unknown, how: "rsa" | "hmac-with-public-key" | "none" = "rsa"): string {
  const input = `${encode(header)}.${encode(claims)}`;
  if (how === "none") return `${input}.`;
  if (how === "rsa") return `${input}.${signBytes("sha256", Buffer.from(input), rsa.privateKey).toString("base64url")}`;
  return `${input}.${createHmac("sha256", rsaPem).update(input).digest("base64url")}`;
}

const head = { alg: "RS256", typ: "JWT" };
const claims = { sub: "ada", exp: now() + 3600 };

const start = (
  t: Parameters<typeof startSecuredGateway>[0],
  options: Record<string, unknown> = {},
): Promise<SecuredGateway> =>
  startSecuredGateway(t, [{ bearer: [] }], { security: { bearer: { jwt: { publicKey: rsaPem, ...options } } } });

const ATTACKS: Readonly<Record<string, string>> = {
  "alg none": forge({ alg: "none" }, claims, "none"),
  "alg NoNe": forge({ alg: "NoNe" }, claims, "none"),
  "alg none with a signature": forge({ alg: "none" }, claims),
  "alg missing": forge({ typ: "JWT" }, claims),
  "alg a list": forge({ alg: ["RS256"] }, claims),
  "alg in lower case": forge({ alg: "rs256" }, claims),
  "the public key as the secret of an HMAC": forge({ alg: "HS256" }, claims, "hmac-with-public-key"),
  "an empty signature": forge(head, claims, "none"),
  "no signature": forge(head, claims).split(".").slice(0, 2).join("."),
  "b64 false": forge({ ...head, b64: false, crit: ["b64"] }, claims),
  "an unknown crit": forge({ ...head, crit: ["exp"] }, claims),
  "an empty crit": forge({ ...head, crit: [] }, claims),
  "another type": forge({ ...head, typ: "dpop+jwt" }, claims),
  "a logout token": forge({ ...head, typ: "logout+jwt" }, claims),
  "a type that is no string": forge({ ...head, typ: 1 }, claims),
  "a zipped payload": forge({ ...head, zip: "DEF" }, claims),
  "a header that says it is encrypted": forge({ ...head, enc: "A256GCM" }, claims),
  "a duplicate alg": forge('{"alg":"none","alg":"RS256"}', claims),
  "a duplicate claim": forge(head, `{"sub":"root","sub":"ada","exp":${now() + 3600}}`),
  "a duplicate claim, escaped": forge(head, `{"sub":"root","s\\u0075b":"ada","exp":${now() + 3600}}`),
  "claims that are a list": forge(head, [claims]),
  "claims that are null": forge(head, "null"),
  "a header that is no JSON": forge("{", claims),
  "claims that are not UTF-8": `${encode(head)}.${Buffer.from([0x7b, 0xff, 0x7d]).toString("base64url")}.AAAA`,
  "exp missing": forge(head, { sub: "ada" }),
  "exp null": forge(head, { ...claims, exp: null }),
  "exp a string": forge(head, { ...claims, exp: String(now() + 3600) }),
  "exp beyond numbers": forge(head, `{"sub":"ada","exp":1e999}`),
  "exp past": forge(head, { ...claims, exp: now() - 1 }),
  "nbf to come": forge(head, { ...claims, nbf: now() + 120 }),
  "nbf a string": forge(head, { ...claims, nbf: "0" }),
  "iat a string": forge(head, { ...claims, iat: "0" }),
  "iat far ahead": forge(head, { ...claims, iat: now() + 600 }),
  "padding in a segment": forge(head, claims).replace(".", "=."),
  "five parts": `${forge(head, claims)}.AAAA.AAAA`,
  "white space inside": forge(head, claims).replace(".", ". "),
  "bits that decoding drops": `${forge(head, claims).slice(0, -1)}${forge(head, claims).endsWith("B") ? "C" : "B"}`,
  "a changed payload": forge(head, claims).replace(encode(claims), encode({ ...claims, sub: "root" })),
};

test("no forged token is accepted, and none reaches the upstream", async (t) => {
  const { get, seen } = await start(t);
  assert.equal((await get({ Authorization: `Bearer ${forge(head, claims)}` })).status, 200, "the good one is accepted");
  for (const [name, token] of Object.entries(ATTACKS)) {
    const answer = await get({ Authorization: `Bearer ${token}` });
    assert.deepEqual([answer.status, answer.code], [401, "TOKEN_INVALID"], name);
    assert.match(answer.challenge ?? "", /error="invalid_token"/, name);
  }
  assert.equal(seen.length, 1);
});

test("a wrong issuer, a wrong audience and a missing one are refused", async (t) => {
  const { get } = await start(t, { issuer: ["https://id.example"], audience: ["things", "more"] });
  const good = { ...claims, iss: "https://id.example", aud: ["other", "things"] };
  assert.equal((await get({ Authorization: `Bearer ${forge(head, good)}` })).status, 200);
  for (const wrong of [
    { iss: "https://id.example/" },
    { iss: undefined },
    { iss: ["https://id.example"] },
    { aud: "thing" },
    { aud: undefined },
    { aud: [] },
    { aud: { things: true } },
  ]) {
    const token = forge(head, { ...good, ...wrong });
    assert.equal((await get({ Authorization: `Bearer ${token}` })).status, 401, JSON.stringify(wrong));
  }
});

test("what a header says of keys is never followed, and a kid is only ever compared", async (t) => {
  const asked: string[] = [];
  const thief = createServer((incoming, response) => {
    asked.push(incoming.url ?? "");
    response.end(JSON.stringify({ keys: [{ ...stranger.publicKey.export({ format: "jwk" }), kid: "k" }] }));
  });
  const url = await listen(thief);
  t.after(() => thief.close());
  const stranger = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwk = stranger.publicKey.export({ format: "jwk" });
  const jwks = JSON.stringify({ keys: [{ ...rsa.publicKey.export({ format: "jwk" }), kid: "known" }] });
  const { get } = await startSecuredGateway(
    t,
    [{ bearer: [] }],
    { security: { bearer: { jwt: { jwksFile: "jwks.json" } } } },
    { files: { "jwks.json": jwks } },
  );
  const ask = async (token: string): Promise<number> => (await get({ Authorization: `Bearer ${token}` })).status;
  for (const extra of [{ jwk }, { jku: `${url}/jku` }, { x5u: `${url}/x5u` }, { x5c: ["AAAA"] }]) {
    const input = `${encode({ ...head, ...extra })}.${encode(claims)}`;
    const signature = signBytes("sha256", Buffer.from(input), stranger.privateKey).toString("base64url");
    assert.equal(await ask(`${input}.${signature}`), 401, JSON.stringify(Object.keys(extra)));
  }
  for (const kid of ["../../dev/null", "' or 1 --", "__proto__", "constructor", "", 1, null, {}]) {
    assert.equal(await ask(forge({ ...head, kid }, claims)), 401, JSON.stringify(kid));
  }
  assert.equal(await ask(forge({ ...head, kid: "known" }, claims)), 200);
  assert.deepEqual(asked, []);
});

test("an encrypted token is refused without any work on it, however many rounds it asks for", async (t) => {
  const { get } = await start(t);
  const jwe = await new CompactEncrypt(Buffer.from("{}"))
    .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
    .encrypt(new Uint8Array(32));
  const bomb = [
    encode({ alg: "PBES2-HS256+A128KW", enc: "A128GCM", p2c: 10_000_000, p2s: "AAAA" }),
    "AA",
    "AA",
    "AA",
    "AA",
  ].join(".");
  const before = process.cpuUsage();
  for (const token of [jwe, bomb]) assert.equal((await get({ Authorization: `Bearer ${token}` })).status, 401);
  const { user } = process.cpuUsage(before);
  assert.ok(user < 1_000_000, `took ${user} µs`);
});

const askTwice = (url: string, headers: string[]): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const outgoing = request(`${url}/things`, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    outgoing.on("error", reject);
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i] as string;
      const values = headers.filter((_, at) => at % 2 === 1 && headers[at - 1] === name);
      outgoing.setHeader(name, values);
    }
    outgoing.end();
  });

test("two Authorization fields are refused, in whatever order", async (t) => {
  const { url, seen } = await start(t);
  const good = `Bearer ${forge(head, claims)}`;
  for (const [first, second] of [
    [good, "Basic YTpi"],
    ["Basic YTpi", good],
    [good, good],
  ] as const) {
    assert.equal(await askTwice(url, ["Authorization", first, "Authorization", second]), 401);
  }
  assert.equal(seen.length, 0);
});

test("a token in two places is refused, even when both are right", async (t) => {
  const { get, seen } = await start(t, { cookie: "token", query: "access_token" });
  const token = forge(head, claims);
  const Authorization = `Bearer ${token}`;
  assert.equal((await get({ Cookie: `token=${token}` })).status, 200);
  assert.equal((await get({}, `/things?access_token=${token}`)).status, 200);
  assert.equal((await get({ Authorization, Cookie: `token=${token}` })).status, 401);
  assert.equal((await get({ Authorization }, `/things?access_token=${token}`)).status, 401);
  assert.equal((await get({ Cookie: `token=${token}; token=${token}` })).status, 401);
  assert.equal(seen.length, 2);
  assert.doesNotMatch(JSON.stringify(seen), /eyJ/);
});

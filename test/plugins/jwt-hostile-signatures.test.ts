import assert from "node:assert/strict";
import { constants, createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { test } from "node:test";
import jwt from "../../plugins/jwt.ts";
import { testPlugin } from "../../src/testing.ts";
import { folderWith } from "../support/cli.ts";

// What signature libraries have believed before: each is written anew here, after what was found in others.
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const claims = { sub: "ada", exp: Math.floor(Date.now() / 1000) + 3600 };
const inputOf = (header: object): string => `${encode(header)}.${encode(claims)}`;
const pemOf = (key: KeyObject): string => key.export({ type: "spki", format: "pem" }) as string;

async function statusWith(options: Record<string, unknown>, token: string): Promise<number | undefined> {
  const { send, close } = await testPlugin(jwt, options);
  const { problem, exchange } = await send({ headers: { Authorization: `Bearer ${token}` } });
  await close();
  return problem?.status ?? (exchange.consumer === undefined ? 0 : 200);
}

const CURVES = {
  ES256: {
    namedCurve: "P-256",
    hash: "sha256",
    order: "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
  },
  ES384: {
    namedCurve: "P-384",
    hash: "sha384",
    order: "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
  },
  ES512: {
    namedCurve: "P-521",
    hash: "sha512",
    order:
      "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
  },
};

for (const [alg, { namedCurve, hash, order }] of Object.entries(CURVES)) {
  test(`${alg}: no signature of nothing, of the order of the curve, of another form or length is believed`, async () => {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve });
    const input = inputOf({ alg });
    const raw = sign(hash, Buffer.from(input), { key: privateKey, dsaEncoding: "ieee-p1363" });
    const der = sign(hash, Buffer.from(input), { key: privateKey, dsaEncoding: "der" });
    const half = raw.length / 2;
    const [zero, one, n] = [Buffer.alloc(half), Buffer.alloc(half), Buffer.from(order, "hex")];
    one[half - 1] = 1;
    const [r, s] = [raw.subarray(0, half), raw.subarray(half)];
    const options = { publicKey: pemOf(publicKey) };
    assert.equal(await statusWith(options, `${input}.${raw.toString("base64url")}`), 200);
    const hostile = {
      "zeros (CVE-2022-21449)": [zero, zero],
      "r is zero": [zero, s],
      "s is zero": [r, zero],
      "the order twice": [n, n],
      "r is the order": [n, s],
      "s is the order": [r, n],
      ones: [one, one],
      "r and s changed places": [s, r],
      "in DER": [der],
      "a byte short": [raw.subarray(0, -1)],
      "a byte more": [raw, Buffer.alloc(1)],
      "zeros before both halves": [Buffer.alloc(1), r, Buffer.alloc(1), s],
      "one half": [r],
      "one byte": [Buffer.alloc(1)],
    };
    for (const [name, parts] of Object.entries(hostile)) {
      assert.equal(await statusWith(options, `${input}.${Buffer.concat(parts).toString("base64url")}`), 401, name);
    }
  });
}

test("a key is used with the algorithm of its own kind and curve alone", async () => {
  const keys = {
    ES256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
    ES384: generateKeyPairSync("ec", { namedCurve: "P-384" }),
    ES512: generateKeyPairSync("ec", { namedCurve: "P-521" }),
    RS256: generateKeyPairSync("rsa", { modulusLength: 2048 }),
    EdDSA: generateKeyPairSync("ed25519"),
  };
  for (const [own, { publicKey, privateKey }] of Object.entries(keys)) {
    for (const alg of [
      "HS256",
      "HS384",
      "HS512",
      "ES256",
      "ES384",
      "ES512",
      "RS256",
      "PS256",
      "EdDSA",
      "ES256K",
      "none",
    ]) {
      if (alg === own) continue;
      const input = inputOf({ alg });
      const bytes = Buffer.from(input);
      const secrets = [
        pemOf(publicKey),
        publicKey.export({ type: "spki", format: "der" }),
        JSON.stringify(publicKey.export({ format: "jwk" })),
      ];
      const signatures = alg.startsWith("HS")
        ? secrets.map((secret) =>
            createHmac(`sha${alg.slice(2)}`, secret)
              .update(bytes)
              .digest(),
          )
        : [
            own === "EdDSA"
              ? sign(null, bytes, privateKey)
              : sign("sha256", bytes, { key: privateKey, dsaEncoding: "ieee-p1363" }),
          ];
      for (const signature of signatures) {
        const token = `${input}.${signature.toString("base64url")}`;
        assert.equal(await statusWith({ publicKey: pemOf(publicKey) }, token), 401, `${alg} with a key of ${own}`);
      }
    }
  }
});

test("RSA: no signature of another padding, length or hash is believed", async () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const input = inputOf({ alg: "RS256" });
  const bytes = Buffer.from(input);
  const good = sign("sha256", bytes, privateKey);
  const pss = (saltLength: number) =>
    sign("sha256", bytes, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
  const options = { publicKey: pemOf(publicKey) };
  assert.equal(await statusWith(options, `${input}.${good.toString("base64url")}`), 200);
  const hostile = {
    "the padding of PS256": pss(32),
    "a hash of another size": sign("sha512", bytes, privateKey),
    sha1: sign("sha1", bytes, privateKey),
    zeros: Buffer.alloc(256),
    one: Buffer.concat([Buffer.alloc(255), Buffer.from([1])]),
    "a byte short": good.subarray(1),
    "a zero before": Buffer.concat([Buffer.alloc(1), good]),
    "a zero after": Buffer.concat([good, Buffer.alloc(1)]),
    "the modulus itself": Buffer.from(String(publicKey.export({ format: "jwk" }).n), "base64url"),
  };
  for (const [name, signature] of Object.entries(hostile)) {
    assert.equal(await statusWith(options, `${input}.${signature.toString("base64url")}`), 401, name);
  }
  const ps = inputOf({ alg: "PS256" });
  const salted = (saltLength: number) =>
    sign("sha256", Buffer.from(ps), { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
  assert.equal(await statusWith(options, `${ps}.${salted(32).toString("base64url")}`), 200);
  assert.equal(
    await statusWith(options, `${ps}.${sign("sha256", Buffer.from(ps), privateKey).toString("base64url")}`),
    401,
  );
});

test("EdDSA: a signature whose second half is larger than the group is refused, as are zeros and cut ones", async () => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const input = inputOf({ alg: "EdDSA" });
  const good = sign(null, Buffer.from(input), privateKey);
  // The order of the group, little-endian: S + L satisfies the same equation (RFC 8032 §8.4).
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const s = BigInt(`0x${Buffer.from(good.subarray(32)).reverse().toString("hex")}`);
  const larger = Buffer.from((s + order).toString(16).padStart(64, "0"), "hex").reverse();
  const options = { publicKey: pemOf(publicKey) };
  assert.equal(await statusWith(options, `${input}.${good.toString("base64url")}`), 200);
  for (const wrong of [Buffer.concat([good.subarray(0, 32), larger]), Buffer.alloc(64), good.subarray(0, 63)]) {
    assert.equal(await statusWith(options, `${input}.${wrong.toString("base64url")}`), 401);
  }
});

test("keys that prove nothing, or cost too much, are no keys: none of a set, and no start with them", async (t) => {
  const { n } = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ format: "jwk" });
  const small = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey.export({ format: "jwk" });
  const hostile = {
    "exponent 1": { kty: "RSA", n, e: "AQ" },
    "an even exponent": { kty: "RSA", n, e: "Ag" },
    "an exponent as long as the modulus": { kty: "RSA", n, e: n },
    "1024 bits": small,
    "a shared secret of 8 bytes": { kty: "oct", k: "c2hvcnQhIQ" },
    "a curve without an algorithm": generateKeyPairSync("ec", { namedCurve: "secp256k1" }).publicKey.export({
      format: "jwk",
    }),
    "a point that is on no curve": { kty: "EC", crv: "P-256", x: "AQ".padEnd(43, "A"), y: "AQ".padEnd(43, "A") },
    "for encryption": {
      ...generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ format: "jwk" }),
      use: "enc",
    },
    "for agreement": generateKeyPairSync("x25519").publicKey.export({ format: "jwk" }),
  };
  for (const [name, jwk] of Object.entries(hostile)) {
    const folder = await folderWith(t, { "jwks.json": JSON.stringify({ keys: [jwk] }) });
    await assert.rejects(testPlugin(jwt, { jwksFile: "jwks.json" }, { folder }), /no key of the JWK set/, name);
  }
});

test("two keys of different kinds may have one kid, and each verifies what it signed (RFC 7517 §4.5)", async (t) => {
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const keys = [ec, rsa].map(({ publicKey }) => ({ ...publicKey.export({ format: "jwk" }), kid: "same" }));
  const folder = await folderWith(t, { "jwks.json": JSON.stringify({ keys }) });
  const { send } = await testPlugin(jwt, { jwksFile: "jwks.json" }, { folder });
  const ask = async (alg: string, key: KeyObject): Promise<number | undefined> => {
    const input = inputOf({ alg, kid: "same" });
    const signature = sign("sha256", Buffer.from(input), { key, dsaEncoding: "ieee-p1363" }).toString("base64url");
    return (await send({ headers: { Authorization: `Bearer ${input}.${signature}` } })).problem?.status;
  };
  assert.deepEqual([await ask("ES256", ec.privateKey), await ask("RS256", rsa.privateKey)], [undefined, undefined]);
  assert.equal(createPublicKey(ec.privateKey).asymmetricKeyType, "ec");
  assert.equal(await ask("RS256", ec.privateKey), 401);
});

test("a secret that is shorter than the hash starts nothing where the options say so", async () => {
  await assert.rejects(
    testPlugin(jwt, { secret: "thirty-one bytes, one too few..", allowShortSecret: false }),
    /shorter than 32 bytes.*allowShortSecret/,
  );
  await testPlugin(jwt, { secret: "thirty-one bytes, one too few..", allowShortSecret: true });
  await testPlugin(jwt, { secret: "thirty-two bytes are what it asks" });
  await assert.rejects(
    testPlugin(jwt, { secret: "thirty-two bytes are what it asks", algorithms: ["HS512"] }),
    /no key can verify HS512/,
  );
});

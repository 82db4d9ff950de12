import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** One key with the algorithm that it signs by. */
export interface Signer {
  readonly alg: string;
  /** As published; undefined for a shared secret. */
  readonly jwk: Record<string, unknown> | undefined;
  readonly sign: (input: string) => Buffer;
  /** What a thief may try as the secret of an HMAC. */
  readonly known: readonly (string | Buffer)[];
  /** Signs by the same algorithm, with a key that nobody has published. */
  readonly signAsStranger: (input: string) => Buffer;
  readonly strangerJwk: Record<string, unknown>;
  readonly good: string;
}

export const SECRET = "a shared secret of the tests, and of 64 bytes or more, as HS512 asks";
export const HASHES: Readonly<Record<string, string>> = { "256": "sha256", "384": "sha384", "512": "sha512" };
const PSS_PADDING = 6;
export const HEAD = { typ: "JWT" };
export const nowSeconds = (): number => Math.floor(Date.now() / 1000);
export const claims = { sub: "ada", exp: nowSeconds() + 3600, iat: nowSeconds() - 10 };

/** Text goes in as it is, anything else as JSON. */
export const encode = (value: unknown): string =>
  (Buffer.isBuffer(value) ? value : Buffer.from(typeof value === "string" ? value : JSON.stringify(value))).toString(
    "base64url",
  );

const PAIRS: Readonly<Record<string, () => { publicKey: KeyObject; privateKey: KeyObject }>> = {
  RS256: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
  RS384: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
  RS512: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
  PS256: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
  PS512: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
  ES384: () => generateKeyPairSync("ec", { namedCurve: "P-384" }),
  ES512: () => generateKeyPairSync("ec", { namedCurve: "P-521" }),
  EdDSA: () => generateKeyPairSync("ed25519"),
};

function signWith(alg: string, key: KeyObject, input: string): Buffer {
  if (alg === "EdDSA") return sign(null, Buffer.from(input), key);
  const more = alg.startsWith("PS") ? { padding: PSS_PADDING, saltLength: Number(alg.slice(2)) / 8 } : {};
  return sign(HASHES[alg.slice(2)] as string, Buffer.from(input), { key, dsaEncoding: "ieee-p1363", ...more });
}

export const hmac = (bits: string, secret: string | Buffer, input: string): Buffer =>
  createHmac(`sha${bits}`, secret).update(input).digest();

export function createSigners(): Signer[] {
  const ofKeys = Object.entries(PAIRS).map(([alg, create]): Signer => {
    const [own, stranger] = [create(), create()];
    const jwk = { ...own.publicKey.export({ format: "jwk" }), kid: `key-${alg}`, alg, use: "sig" };
    const strangerJwk = { ...stranger.publicKey.export({ format: "jwk" }), kid: `key-${alg}`, alg, use: "sig" };
    const byKey = (input: string): Buffer => signWith(alg, own.privateKey, input);
    const pem = own.publicKey.export({ type: "spki", format: "pem" }) as string;
    const known = [
      pem,
      pem.trim(),
      pem.replace(/\n/g, "\r\n"),
      own.publicKey.export({ type: "spki", format: "der" }),
      JSON.stringify(jwk),
      JSON.stringify(own.publicKey.export({ format: "jwk" })),
      Buffer.from(String(jwk.n ?? jwk.x), "base64url"),
      "",
    ];
    const good = sealed({ ...HEAD, alg, kid: jwk.kid }, claims, byKey);
    return {
      alg,
      jwk,
      sign: byKey,
      known,
      signAsStranger: (input) => signWith(alg, stranger.privateKey, input),
      strangerJwk,
      good,
    };
  });
  const ofSecrets = Object.keys(HASHES).map((bits): Signer => {
    const alg = `HS${bits}`;
    const bySecret = (input: string): Buffer => hmac(bits, SECRET, input);
    return {
      alg,
      jwk: undefined,
      sign: bySecret,
      known: [
        "",
        "secret",
        SECRET.slice(0, -1),
        `${SECRET}\n`,
        Buffer.from(SECRET).toString("base64"),
        Buffer.alloc(64),
      ],
      signAsStranger: (input) => hmac(bits, "the secret of somebody else", input),
      strangerJwk: { kty: "oct", k: encode("the secret of somebody else") },
      good: sealed({ ...HEAD, alg }, claims, bySecret),
    };
  });
  return [...ofKeys, ...ofSecrets];
}

export function sealed(header: unknown, payload: unknown, signer: (input: string) => Buffer): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${signer(input).toString("base64url")}`;
}

import { createPublicKey, createSecretKey, type JsonWebKey, type KeyObject } from "node:crypto";

/** Every algorithm that can be asked for. `none` is no algorithm. */
export const ALGORITHMS = [
  "HS256",
  "HS384",
  "HS512",
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
] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

const CURVES: Readonly<Record<string, Algorithm>> = { prime256v1: "ES256", secp384r1: "ES384", secp521r1: "ES512" };
const RSA: readonly Algorithm[] = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
const PSS: readonly Algorithm[] = ["PS256", "PS384", "PS512"];
const HMAC: readonly Algorithm[] = ["HS256", "HS384", "HS512"];
/** What HS256 needs (RFC 7518 §3.2); HS384 and HS512 need 48 and 64. */
export const MIN_SECRET_BYTES = 32;

/** A key with the algorithms that it, by its type, can verify: a public key is never the secret of an HMAC. ATTACKS 32. */
export interface VerificationKey {
  readonly key: KeyObject;
  readonly algorithms: ReadonlySet<string>;
}

export function toVerificationKey(key: KeyObject): VerificationKey {
  return { key, algorithms: new Set(algorithmsOf(key)) };
}

function algorithmsOf(key: KeyObject): readonly Algorithm[] {
  const { asymmetricKeyDetails: details = {} } = key;
  if (key.type === "secret") return HMAC.filter((_, i) => i === 0 || (key.symmetricKeySize ?? 0) >= 32 + 16 * i);
  switch (key.asymmetricKeyType) {
    case "rsa":
    case "rsa-pss":
      if ((details.modulusLength ?? 0) < 2048) throw new Error("an RSA key needs 2048 bits or more (RFC 7518 §3.3)");
      if (!isSoundExponent(details.publicExponent)) throw new Error("an RSA key's exponent is odd, 3 to 2^64");
      return key.asymmetricKeyType === "rsa" ? RSA : PSS;
    case "ec": {
      const algorithm = CURVES[details.namedCurve ?? ""];
      if (algorithm === undefined) throw new Error(`the curve ${details.namedCurve} has no JWT algorithm`);
      return [algorithm];
    }
    case "ed25519":
    case "ed448":
      return ["EdDSA"];
    default:
      throw new Error(`a ${key.asymmetricKeyType} key verifies no JWT`);
  }
}

/** With 1 everybody can sign, and each bit more is more work for every token. */
const isSoundExponent = (exponent = 0n): boolean => exponent >= 3n && exponent % 2n === 1n && exponent < 2n ** 64n;

const PEM = /-----BEGIN/;

/** @throws Error when the text is a PEM document: whoever knows the public key could then sign tokens */
export function secretKey(secret: string): VerificationKey {
  if (PEM.test(secret)) throw new Error("secret is a PEM document; write it under publicKey");
  return toVerificationKey(createSecretKey(secret, "utf8"));
}

/** @param pem a public key, or a certificate */
export function publicKey(pem: string): VerificationKey {
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch (cause) {
    throw new Error("publicKey is not a PEM document of a public key or certificate, nor a file with one", { cause });
  }
  if (/-----BEGIN [A-Z ]*PRIVATE KEY/.test(pem))
    throw new Error("publicKey is a private key; give only its public half");
  return toVerificationKey(key);
}

/** Keys by `kid`, and those without one. */
export interface KeySet {
  /** Several may share one, where they are of different kinds (RFC 7517 §4.5). */
  readonly byId: ReadonlyMap<string, readonly VerificationKey[]>;
  readonly all: readonly VerificationKey[];
}

export const keySetOf = (...all: readonly VerificationKey[]): KeySet => ({ byId: new Map(), all });

interface Jwk extends JsonWebKey {
  readonly kid?: unknown;
  readonly use?: unknown;
  readonly alg?: unknown;
  readonly key_ops?: unknown;
}

/**
 * A JWK set (RFC 7517 §5). Keys of unknown kinds, and keys that are not for signatures, are left out.
 * @param allowSecrets whether a symmetric key counts: never in a set that anybody can fetch
 * @throws Error when it is no set, or none of its keys can be used
 */
export function parseKeySet(text: string, allowSecrets: boolean): KeySet {
  const { keys } = JSON.parse(text) as { keys?: unknown };
  if (!Array.isArray(keys)) throw new Error("not a JWK set: it has no keys");
  const byId = new Map<string, VerificationKey[]>();
  const all: VerificationKey[] = [];
  for (const jwk of keys as Jwk[]) {
    const key = findKey(jwk, allowSecrets);
    if (key === undefined) continue;
    all.push(key);
    if (typeof jwk.kid === "string") byId.set(jwk.kid, [...(byId.get(jwk.kid) ?? []), key]);
  }
  if (new Set(all.map(({ key }) => key.type)).size > 1) {
    throw new Error("the JWK set mixes shared secrets and public keys; keep them apart");
  }
  if (all.length === 0) throw new Error("no key of the JWK set can verify a signature");
  return { byId, all };
}

function findKey(jwk: Jwk, allowSecrets: boolean): VerificationKey | undefined {
  if (jwk.use !== undefined && jwk.use !== "sig") return undefined;
  if (Array.isArray(jwk.key_ops) && !jwk.key_ops.includes("verify")) return undefined;
  try {
    const { key, algorithms } = toVerificationKey(toKeyObject(jwk, allowSecrets));
    if (jwk.alg === undefined) return { key, algorithms };
    return algorithms.has(String(jwk.alg)) ? { key, algorithms: new Set([String(jwk.alg)]) } : undefined;
  } catch {
    return undefined;
  }
}

function toKeyObject(jwk: Jwk, allowSecrets: boolean): KeyObject {
  if (jwk.kty !== "oct") return createPublicKey({ key: jwk, format: "jwk" });
  if (!allowSecrets || typeof jwk.k !== "string") throw new Error("a symmetric key in a public set");
  const key = createSecretKey(jwk.k, "base64url");
  if ((key.symmetricKeySize ?? 0) < MIN_SECRET_BYTES) throw new Error("a secret of less than 32 bytes (RFC 7518 §3.2)");
  return key;
}

import {
  constants,
  createHmac,
  createPublicKey,
  createSecretKey,
  type KeyObject,
  timingSafeEqual,
  verify,
} from "node:crypto";

/** Of RFC 9421 §3.3. */
export const ALGORITHMS = [
  "hmac-sha256",
  "ed25519",
  "ecdsa-p256-sha256",
  "ecdsa-p384-sha384",
  "rsa-pss-sha512",
  "rsa-v1_5-sha256",
] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

export interface SigningKey {
  readonly consumer: string;
  readonly algorithm: Algorithm;
  readonly key: KeyObject;
}

/** What kinds of keys an algorithm takes; of elliptic curves, which. */
const KINDS: Readonly<Record<Algorithm, readonly string[]>> = {
  "hmac-sha256": [],
  ed25519: ["ed25519"],
  "ecdsa-p256-sha256": ["prime256v1"],
  "ecdsa-p384-sha384": ["secp384r1"],
  "rsa-pss-sha512": ["rsa", "rsa-pss"],
  "rsa-v1_5-sha256": ["rsa"],
};

const kindOf = (key: KeyObject): string => String(key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType);

/** @throws Error when the key does not fit its algorithm */
export function toSigningKey(options: {
  readonly consumer: string;
  readonly secret?: string;
  readonly publicKey?: string;
  readonly algorithm?: Algorithm;
}): SigningKey {
  const { consumer, secret, publicKey, algorithm = "hmac-sha256" } = options;
  const isSecret = algorithm === "hmac-sha256";
  const text = isSecret ? secret : publicKey;
  if (text === undefined || (secret !== undefined && publicKey !== undefined)) {
    throw new Error(`the key of ${consumer} needs ${isSecret ? "secret" : "publicKey"} alone for ${algorithm}`);
  }
  const key = isSecret ? toSecret(text) : createPublicKey(text);
  if (!isSecret && !KINDS[algorithm].includes(kindOf(key))) {
    throw new Error(`the key of ${consumer} is ${kindOf(key)}, which is not for ${algorithm}`);
  }
  return { consumer, algorithm, key };
}

/** Bytes that are no text stand as `base64:…`. */
const toSecret = (text: string): KeyObject =>
  text.startsWith("base64:") ? createSecretKey(text.slice(7), "base64") : createSecretKey(text, "utf8");

export function isSignedBy({ algorithm, key }: SigningKey, base: string, signature: Buffer): boolean {
  const bytes = Buffer.from(base, "latin1");
  switch (algorithm) {
    case "hmac-sha256": {
      const expected = createHmac("sha256", key).update(bytes).digest();
      return expected.length === signature.length && timingSafeEqual(expected, signature);
    }
    case "ed25519":
      return verify(null, bytes, key, signature);
    case "ecdsa-p256-sha256":
      return verify("sha256", bytes, { key, dsaEncoding: "ieee-p1363" }, signature);
    case "ecdsa-p384-sha384":
      return verify("sha384", bytes, { key, dsaEncoding: "ieee-p1363" }, signature);
    case "rsa-pss-sha512":
      return verify("sha512", bytes, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 64 }, signature);
    case "rsa-v1_5-sha256":
      return verify("sha256", bytes, key, signature);
  }
}

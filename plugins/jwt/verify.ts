import { type KeyObject, verify } from "node:crypto";
import { compactVerify } from "jose";
import jsonwebtoken from "jsonwebtoken";
import { tokenInvalid } from "../common/bearer.ts";
import { Remembered } from "../common/remembered.ts";
import type { KeySource } from "./key-source.ts";
import type { KeySet, VerificationKey } from "./keys.ts";
import { parseSegment } from "./strict-json.ts";

export interface Rules {
  readonly algorithms: ReadonlySet<string>;
  readonly issuers: readonly string[] | undefined;
  readonly audiences: readonly string[] | undefined;
  /** Lower case, without `application/`. */
  readonly types: ReadonlySet<string>;
  readonly isTypeRequired: boolean;
  readonly requiredClaims: readonly string[];
  readonly leewaySeconds: number;
}

export type Claims = Readonly<Record<string, unknown>>;

const SEGMENTS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
/** Keys that are tried for a token that names none. */
const MAX_TRIES = 8;
/** An issuer's clock may be ahead by this much, whatever the leeway. */
const MAX_SKEW_SECONDS = 60;

/**
 * The claims of a signed token, once its signature and all of {@link Rules} hold: at once where the keys are known, so
 * that a new token costs little more than its signature.
 * What the header says of keys (`jwk`, `jku`, `x5u`, `x5c`) is never read. ATTACKS 32 to 34.
 * @throws GatewayError TOKEN_INVALID
 */
export function verifyToken(token: string, source: KeySource, rules: Rules, nowMs: number): Claims | Promise<Claims> {
  // Three parts, none of them empty: neither an unsigned token nor an encrypted one (five parts) gets further.
  const [first, last] = [token.indexOf("."), token.lastIndexOf(".")];
  if (
    !SEGMENTS.test(token) ||
    !isCanonical(token, 0, first) ||
    !isCanonical(token, first + 1, last) ||
    !isCanonical(token, last + 1, token.length)
  ) {
    throw tokenInvalid("not a signed JWT");
  }
  const header = parseHeader(token.slice(0, first));
  checkHeader(header, rules);
  const { current } = source;
  if (current !== undefined) source.refreshIfDue();
  const keys = current && keysFor(header, current);
  const signed = keys === undefined ? fetchAndCheck(token, header, source) : checkSignature(token, header, keys);
  const readClaims = (): Claims => {
    const claims = parse(token.slice(first + 1, last));
    checkClaims(claims, rules, Math.floor(nowMs / 1000));
    return claims;
  };
  return signed === undefined ? readClaims() : signed.then(readClaims);
}

async function fetchAndCheck(token: string, header: Claims, source: KeySource): Promise<void> {
  const set = source.current ?? (await source.load());
  const keys = keysFor(header, set) ?? keysFor(header, await source.reload()) ?? [];
  await checkSignature(token, header, keys);
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** One text for one value: bits that decoding drops must be zero (RFC 4648 §3.5), or a token has many spellings. */
function isCanonical(token: string, start: number, end: number): boolean {
  const rest = (end - start) % 4;
  if (rest === 0) return true;
  const last = ALPHABET.indexOf(token.charAt(end - 1));
  return rest === 2 ? last % 16 === 0 : rest === 3 && last % 4 === 0;
}

function parse(segment: string): Record<string, unknown> {
  try {
    return parseSegment(segment);
  } catch (cause) {
    throw tokenInvalid("not a signed JWT", cause);
  }
}

/** All tokens that one key signs have the same header: parsed once. */
function parseHeader(segment: string): Claims {
  let header = HEADERS.get(segment);
  if (header === undefined) {
    header = Object.freeze(parse(segment));
    HEADERS.set(segment, header);
  }
  return header;
}
const HEADERS = new Remembered<Claims>(100);

function checkHeader(header: Claims, { algorithms, types, isTypeRequired }: Rules): void {
  const { alg, typ, kid } = header;
  if (typeof alg !== "string" || !algorithms.has(alg)) throw tokenInvalid("the algorithm is not allowed");
  // No extension of RFC 7515 §4.1.11 is understood here, so any that must be understood is a refusal: b64 among them.
  if (header.crit !== undefined || header.b64 !== undefined) throw tokenInvalid("crit and b64 are not understood");
  if (header.enc !== undefined || header.zip !== undefined) throw tokenInvalid("not a signed JWT");
  if (kid !== undefined && typeof kid !== "string") throw tokenInvalid("kid is not a string");
  if (typ === undefined && !isTypeRequired) return;
  if (typeof typ !== "string" || !types.has(typ.toLowerCase().replace(/^application\//, ""))) {
    throw tokenInvalid("the type is not allowed");
  }
}

/** @returns undefined: the set does not have this key, a newer one might */
function keysFor({ kid }: Claims, set: KeySet): readonly VerificationKey[] | undefined {
  if (set.byId.size === 0 || kid === undefined) return set.all;
  return set.byId.get(kid as string);
}

/** Of what most issuers sign with, and what is checked here alone. */
const RSA_HASHES: Readonly<Record<string, string>> = { RS256: "sha256", RS384: "sha384", RS512: "sha512" };

/**
 * RSASSA-PKCS1-v1_5 (RFC 7518 §3.3), the whole of it one call: jsonwebtoken would take the token apart and parse it
 * once more before the same call, which costs half as much as the signature itself.
 */
function holdsByRsa(token: string, hash: string, key: KeyObject): boolean {
  const end = token.lastIndexOf(".");
  return verify(hash, Buffer.from(token.slice(0, end), "latin1"), key, Buffer.from(token.slice(end + 1), "base64url"));
}

/** @returns a promise where the check cannot be made at once */
function checkSignature(token: string, { alg }: Claims, keys: readonly VerificationKey[]): Promise<void> | undefined {
  const usable = keys.length === 1 ? keys : keys.filter((key) => canVerify(key, alg)).slice(0, MAX_TRIES);
  if (!usable.some((key) => canVerify(key, alg))) throw tokenInvalid("no known key fits the token");
  // jsonwebtoken does not know EdDSA.
  if (alg === "EdDSA") return checkEdDsa(token, usable);
  const hash = RSA_HASHES[alg as string];
  let cause: unknown;
  for (const { key } of usable) {
    try {
      if (hash === undefined) checkByLibrary(token, alg as jsonwebtoken.Algorithm, key);
      else if (!holdsByRsa(token, hash, key)) continue;
      return undefined;
    } catch (error) {
      cause = error;
    }
  }
  throw tokenInvalid("the signature does not hold", cause);
}

const canVerify = ({ algorithms }: VerificationKey, alg: unknown): boolean => algorithms.has(alg as string);

function checkByLibrary(token: string, algorithm: jsonwebtoken.Algorithm, key: KeyObject): void {
  jsonwebtoken.verify(token, key, { algorithms: [algorithm], ignoreExpiration: true, ignoreNotBefore: true });
}

async function checkEdDsa(token: string, keys: readonly VerificationKey[]): Promise<void> {
  let cause: unknown;
  for (const { key } of keys) {
    try {
      await compactVerify(token, key, { algorithms: ["EdDSA", "Ed25519"] });
      return;
    } catch (error) {
      cause = error;
    }
  }
  throw tokenInvalid("the signature does not hold", cause);
}

function checkClaims(claims: Claims, rules: Rules, nowSeconds: number): void {
  const { leewaySeconds } = rules;
  for (const name of rules.requiredClaims) {
    if (claims[name] === undefined || claims[name] === null) throw tokenInvalid(`the claim ${name} is missing`);
  }
  const [exp, nbf, iat] = [instant(claims, "exp"), instant(claims, "nbf"), instant(claims, "iat")];
  if (exp !== undefined && exp + leewaySeconds <= nowSeconds) throw tokenInvalid("the token has expired");
  if (nbf !== undefined && nbf - leewaySeconds > nowSeconds) throw tokenInvalid("the token is not valid yet");
  if (iat !== undefined && iat - Math.max(leewaySeconds, MAX_SKEW_SECONDS) > nowSeconds) {
    throw tokenInvalid("the token was issued in the future");
  }
  if (rules.issuers !== undefined && !rules.issuers.includes(claims.iss as string)) {
    throw tokenInvalid("the issuer is not accepted");
  }
  if (rules.audiences === undefined) return;
  const audience = Array.isArray(claims.aud) ? (claims.aud as unknown[]) : [claims.aud];
  if (!audience.some((each) => rules.audiences?.includes(each as string)))
    throw tokenInvalid("the audience is not accepted");
}

/** Seconds since 1970 (RFC 7519 §2): a number, so "9999999999" is none. */
function instant(claims: Claims, name: string): number | undefined {
  const value = claims[name];
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isFinite(value)) throw tokenInvalid(`the claim ${name} is not a number`);
  return value;
}

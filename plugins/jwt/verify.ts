import { compactVerify } from "jose";
import jsonwebtoken from "jsonwebtoken";
import { tokenInvalid } from "../common/bearer.ts";
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
 * The claims of a signed token, once its signature and all of {@link Rules} hold.
 * What the header says of keys (`jwk`, `jku`, `x5u`, `x5c`) is never read. ATTACKS 32 to 34.
 * @throws GatewayError TOKEN_INVALID
 */
export async function verifyToken(token: string, source: KeySource, rules: Rules, nowMs: number): Promise<Claims> {
  await verifySignature(token, source, rules);
  const claims = parse(token.slice(token.indexOf(".") + 1, token.lastIndexOf(".")));
  checkClaims(claims, rules, Math.floor(nowMs / 1000));
  return claims;
}

/** The header and the signature alone. @throws GatewayError TOKEN_INVALID */
export async function verifySignature(token: string, source: KeySource, rules: Rules): Promise<void> {
  // Three parts, none of them empty: neither an unsigned token nor an encrypted one (five parts) gets further.
  if (!SEGMENTS.test(token) || !token.split(".").every(isCanonical)) throw tokenInvalid("not a signed JWT");
  const header = parse(token.slice(0, token.indexOf(".")));
  checkHeader(header, rules);
  const set = source.current ?? (await source.load());
  source.refreshIfDue();
  const keys = keysFor(header, set) ?? keysFor(header, await source.reload()) ?? [];
  const usable = keys.filter(({ algorithms }) => algorithms.has(header.alg as string));
  if (usable.length === 0) throw tokenInvalid("no known key fits the token");
  await checkSignature(token, header.alg as string, usable.slice(0, MAX_TRIES));
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** One text for one value: bits that decoding drops must be zero (RFC 4648 §3.5), or a token has many spellings. */
function isCanonical(segment: string): boolean {
  const rest = segment.length % 4;
  if (rest === 0) return true;
  const last = ALPHABET.indexOf(segment.at(-1) as string);
  return rest === 2 ? last % 16 === 0 : rest === 3 && last % 4 === 0;
}

function parse(segment: string): Record<string, unknown> {
  try {
    return parseSegment(segment);
  } catch (cause) {
    throw tokenInvalid("not a signed JWT", cause);
  }
}

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
  const key = set.byId.get(kid as string);
  return key === undefined ? undefined : [key];
}

async function checkSignature(token: string, alg: string, keys: readonly VerificationKey[]): Promise<void> {
  let cause: unknown;
  for (const { key } of keys) {
    try {
      // jsonwebtoken does not know EdDSA.
      if (alg === "EdDSA") await compactVerify(token, key, { algorithms: ["EdDSA", "Ed25519"] });
      else
        jsonwebtoken.verify(token, key, {
          algorithms: [alg as jsonwebtoken.Algorithm],
          ignoreExpiration: true,
          ignoreNotBefore: true,
        });
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

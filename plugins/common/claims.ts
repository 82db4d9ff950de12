import { hash } from "node:crypto";
import {
  type Consumer,
  type CredentialBook,
  type Exchange,
  type KnownCredential,
  Type,
  tokenIdentifier,
} from "../../src/plugin.ts";
import { tokenInvalid } from "./bearer.ts";

export type Claims = Readonly<Record<string, unknown>>;

/** Options of every plugin that learns who calls from claims. */
export const claimOptions = {
  consumerClaim: Type.Optional(
    Type.String({ description: "Claim that names the consumer. Default: sub, then client_id, then azp." }),
  ),
  groupsClaim: Type.String({ default: "groups", description: "Claim that lists the consumer's groups." }),
  headers: Type.Record(Type.String(), Type.String(), {
    default: {},
    description: "Request field to claim: what the upstream is told, such as { X-User-Email: email }.",
  }),
};

/** Where common issuers say what a token may do: a string of words (RFC 8693 §4.2), or a list. */
const SCOPE_CLAIMS = ["scope", "scp", "scopes", "roles"] as const;

/**
 * The consumer that has been given the tokens of this issuer and subject.
 * @throws GatewayError 401 when they are accepted no longer
 */
export function findHolder(
  { iss, sub }: Claims,
  consumers: CredentialBook,
  nowMs: number,
): KnownCredential | undefined {
  if (typeof iss !== "string" || typeof sub !== "string") return undefined;
  const held = consumers.find("token", tokenIdentifier(iss, sub));
  if (held !== undefined && held.expiresAtMs <= nowMs)
    throw tokenInvalid("tokens of this subject are not accepted any longer");
  return held;
}

/** @param credential names who carries no name: one consumer for each, so that nobody shares a limit or a cache entry */
export function toConsumer(
  claims: Claims,
  credential: string,
  options: { readonly consumerClaim?: string; readonly groupsClaim: string },
  holder?: KnownCredential,
): Consumer {
  const { consumerClaim } = options;
  const named =
    consumerClaim === undefined ? (claims.sub ?? claims.client_id ?? claims.azp) : at(claims, consumerClaim);
  const isNamed = (typeof named === "string" && named !== "") || typeof named === "number";
  const groups = wordsOf(at(claims, options.groupsClaim));
  const scopes = new Set<string>(holder?.consumer.scopes);
  for (const name of SCOPE_CLAIMS) addWords(scopes, claims[name]);
  addWords(scopes, at(claims, "realm_access.roles"));
  return {
    name:
      holder?.consumer.name ?? (isNamed ? String(named) : `token-${hash("sha256", credential, "hex").slice(0, 24)}`),
    groups: groups.length > 1 ? [...new Set(groups)] : groups,
    scopes,
    claims,
  };
}

/** A claim, or one inside another (`realm_access.roles`). */
export function at(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  const dot = path.indexOf(".");
  if (dot < 0 || !Object.hasOwn(claims, path.slice(0, dot))) return undefined;
  let value: unknown = claims;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Claims)[name];
  }
  return value;
}

function addWords(words: Set<string>, value: unknown): void {
  if (value === undefined) return;
  for (const word of wordsOf(value)) words.add(word);
}

function wordsOf(value: unknown): readonly string[] {
  if (value === undefined) return NO_WORDS;
  const list = typeof value === "string" ? value.split(" ") : Array.isArray(value) ? (value as unknown[]) : NO_WORDS;
  return list.filter((word): word is string => typeof word === "string" && word !== "");
}
const NO_WORDS: readonly string[] = [];

/** Field lines for the upstream, made once for each credential. Their names are identity headers of the plugin. */
export function toClaimHeaders(
  claims: Claims,
  headers: Readonly<Record<string, string>>,
): (readonly [string, string])[] {
  const lines: (readonly [string, string])[] = [];
  for (const [field, claim] of Object.entries(headers)) {
    const value = at(claims, claim);
    if (value === undefined || value === null) continue;
    const text = Array.isArray(value) ? value.map(asText).join(", ") : asText(value);
    lines.push([field, text]);
  }
  return lines;
}

const VISIBLE = /^[\x20-\x7e]*$/;

/** A claim is the issuer's text, often the user's own: no line break of it may reach a header. */
function asText(value: unknown): string {
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return VISIBLE.test(text) ? text : encodeURIComponent(Buffer.from(text).toString());
}

export function appendHeaders(exchange: Exchange, lines: readonly (readonly [string, string])[]): void {
  for (const [field, value] of lines) exchange.request.headers.append(field, value);
}

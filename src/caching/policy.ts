import { isStream } from "../core/body.ts";
import type { GatewayResponse } from "../core/exchange.ts";
import { FieldGroup } from "../core/field-group.ts";
import { HeaderList } from "../core/headers.ts";
import { type Directives, responseDirectives } from "./directives.ts";
import { type Freshness, isGuessable, toFreshness } from "./freshness.ts";
import { toHttpDate } from "./http-date.ts";
import type { CacheOptions } from "./options.ts";
import { selectingFields } from "./vary.ts";

/** What a response would be stored as. */
export interface Storable {
  readonly freshness: Freshness;
  /** What is stored of its header section: a list of its own. */
  readonly headers: HeaderList;
  readonly selectors: readonly string[];
  readonly isPublic: boolean;
}

export interface StoreQuestion {
  readonly requestHeaders: HeaderList;
  /** As they went upstream; undefined when nothing was selected anew. */
  readonly sentHeaders?: HeaderList | undefined;
  readonly requestDirectives: Directives | undefined;
  readonly response: GatewayResponse;
  readonly requestedAtMs: number;
  readonly receivedAtMs: number;
  /** The key holds the consumer: nobody else will be given it. */
  readonly isPartitioned: boolean;
  readonly options: CacheOptions;
}

/** Final statuses whose meaning for caches this one knows; others need no `must-understand`. RFC 9111 §5.2.2.3. */
const UNDERSTOOD = new Set([
  200, 203, 204, 300, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 406, 409, 410, 414, 415, 422, 429, 451, 500,
  501, 502, 503, 504,
]);

/** Media types of what goes on for as long as somebody reads it. */
const ENDLESS = /^(?:text\/event-stream|multipart\/x-mixed-replace)[\t ]*(?:;|$)/i;

/** Without one of these, and without a lifetime of the route's, nothing is worth storing: most answers go no further. */
const STORING = new FieldGroup("cache-control", "cdn-cache-control", "expires", "etag", "last-modified");
const SET_COOKIE = new FieldGroup("set-cookie");
/** What a client shows of who it is. */
export const CREDENTIALS = new FieldGroup("authorization", "cookie");
const AUTHORIZATION = new FieldGroup("authorization");
const COOKIE = new FieldGroup("cookie");
const VARY = new FieldGroup("vary");
const DATE = new FieldGroup("date");

/** Whether it is worth asking {@link findStorable}. */
export const mayBeStorable = ({ headers }: GatewayResponse, options: CacheOptions): boolean =>
  options.ttlSeconds !== undefined || headers.hasAnyOf(STORING);

/** Whether a response to a GET may be stored, and as what. RFC 9111 §3. @returns undefined: it may not */
export function findStorable(question: StoreQuestion): Storable | undefined {
  const { response, requestHeaders, requestedAtMs, receivedAtMs, isPartitioned, options } = question;
  const { status, headers } = response;
  // Cut off by its upstream's end, it would look the same (RFC 9112 §8).
  if (response.isUntilClose === true) return undefined;
  // Those who wait for the whole of it would wait for ever.
  if (isStream(response.body) && ENDLESS.test(headers.get("content-type") ?? "")) return undefined;
  // A 206 is a part, a 304 speaks of an answer we do not have, a 416 of one range.
  if (status < 200 || status === 206 || status === 304 || status === 416) return undefined;
  if (question.requestDirectives?.noStore === true) return undefined;
  const known = toFreshness(status, headers, options, requestedAtMs, receivedAtMs);
  const { directives, freshness, lifetimeSeconds } = known;
  if (directives.mustUnderstand === true ? !UNDERSTOOD.has(status) : directives.noStore === true) return undefined;
  if (directives.private?.length === 0) return undefined;
  if (headers.hasAnyOf(SET_COOKIE) && options.setCookie !== true) return undefined;
  // Of whichever field holds: a CDN-Cache-Control of `max-age` alone allows no more than Cache-Control would (RFC 9111 §3.5).
  const isShareable = isPartitioned || directives.public === true || directives.sMaxAge !== undefined;
  if (requestHeaders.hasAnyOf(AUTHORIZATION) && !isShareable && directives.mustRevalidate !== true) return undefined;
  const selectors = headers.hasAnyOf(VARY) ? selectingFields(headers.getJoined("vary")) : NONE;
  if (selectors === undefined || (selectors.length > 0 && areWrittenHere(selectors, question))) return undefined;
  // What a cookie may have shaped is for its owner, unless the upstream says otherwise. ATTACKS 25.
  const isForCookies = isShareable || known.isTargeted || selectors.includes("cookie");
  if (requestHeaders.hasAnyOf(COOKIE) && !isForCookies) return undefined;
  if (!isWorthStoring(status, headers, lifetimeSeconds, freshness, options)) return undefined;
  return {
    freshness,
    headers: toStoredHeaders(headers, directives, receivedAtMs),
    selectors,
    isPublic: directives.public === true,
  };
}

/** Whether the answer itself may be stored: not whether the request that it answers allows it. */
export const isStorableForOthers = (question: StoreQuestion): boolean =>
  findStorable({ ...question, requestHeaders: OTHERS, requestDirectives: undefined, sentHeaders: undefined }) !==
  undefined;
const OTHERS = new HeaderList();

/**
 * Whether the upstream varied by what the gateway or a plugin wrote, such as the client's address in `X-Forwarded-For`:
 * other clients would send the same field without it, and be given this answer. ATTACKS 25.
 */
const areWrittenHere = (selectors: readonly string[], question: StoreQuestion): boolean =>
  selectors.some((name) => isWrittenHere(name, question));

function isWrittenHere(name: string, { requestHeaders, sentHeaders }: StoreQuestion): boolean {
  const sent = FOLLOWING.has(name) ? undefined : sentHeaders?.getJoined(name);
  return sent !== undefined && sent !== requestHeaders.getJoined(name);
}
/** They say what the key holds already, or what the client's own field does. */
const FOLLOWING: ReadonlySet<string> = new Set([
  "accept-encoding",
  "if-modified-since",
  "if-none-match",
  "x-forwarded-host",
  "x-forwarded-proto",
]);

/** Whether its upstream calls a stored answer public: one for all consumers, where the route agrees. */
export const isPublic = (headers: HeaderList): boolean => responseDirectives(headers).directives.public === true;

/** Fresh for some time, or at least to be asked about again. An error only for the time its upstream states. */
function isWorthStoring(
  status: number,
  headers: HeaderList,
  lifetimeSeconds: number | undefined,
  freshness: Freshness,
  options: CacheOptions,
): boolean {
  if (status >= 400 && options.errors === false) return false;
  if (lifetimeSeconds !== undefined && lifetimeSeconds > 0 && !freshness.alwaysAsk) return true;
  const hasValidator = headers.has("etag") || headers.has("last-modified");
  const canBeStale = freshness.staleWhileRevalidateMs > 0 || freshness.staleIfErrorMs > 0;
  return status < 400 && (hasValidator || canBeStale) && (isGuessable(status) || lifetimeSeconds !== undefined);
}

/** Fields that are stored with no answer: those of one exchange, and those that their upstream keeps from reuse. */
function toStoredHeaders(headers: HeaderList, directives: Directives, receivedAtMs: number): HeaderList {
  const { noCache, private: own } = directives;
  const stored = headers.clone();
  if (stored.hasAnyOf(NEVER_STORED)) stored.filter((name) => !NEVER_STORED.has(name));
  if (noCache !== undefined) for (const name of noCache) stored.delete(name);
  if (own !== undefined) for (const name of own) stored.delete(name);
  if (!stored.hasAnyOf(DATE)) stored.append("Date", toHttpDate(receivedAtMs));
  return stored;
}
const NONE: readonly string[] = Object.freeze([]);
export const NEVER_STORED = new FieldGroup(
  "age",
  "proxy-authentication-info",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "connection",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "alt-svc",
);

/**
 * What a request looks like from outside: the names of its fields, and of each value its length in powers of two and
 * whether it holds anything unusual. An error is reused only for requests that look like the one that met it, so that
 * a request made to fail (oversized, malformed, with a field that overrides something) fails for its sender alone.
 * ATTACKS 28.
 */
export function shapeOf(headers: HeaderList): string {
  const parts: string[] = [];
  headers.forEach((_name, value, lower) => {
    const isPlain = /^[\x20-\x7e]*$/.test(value);
    parts.push(`${lower}:${32 - Math.clz32(value.length)}${isPlain ? "" : "!"}`);
  });
  return parts.sort().join(",");
}

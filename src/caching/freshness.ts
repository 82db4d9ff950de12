import { FieldGroup } from "../core/field-group.ts";
import type { HeaderList } from "../core/headers.ts";
import { type Directives, MAX_DELTA_SECONDS, responseDirectives, toSeconds } from "./directives.ts";
import { findHttpDate } from "./http-date.ts";

/** How long an answer may be used, and what it was told of itself. Milliseconds since 1970 and milliseconds. */
export interface Freshness {
  /** When its age was zero: RFC 9111 §4.2.3, kept as an instant so that its age is one subtraction. */
  readonly bornAtMs: number;
  readonly freshUntilMs: number;
  /** Beyond that, while it is fetched again in the background. RFC 5861 §3. */
  readonly staleWhileRevalidateMs: number;
  /** Beyond that, while the upstream fails. RFC 5861 §4. */
  readonly staleIfErrorMs: number;
  /** Never stale: must-revalidate, proxy-revalidate, s-maxage. */
  readonly mustRevalidate: boolean;
  /** Never without asking: no-cache. */
  readonly alwaysAsk: boolean;
}

export interface FreshnessOptions {
  readonly heuristic?: boolean | undefined;
  readonly ttlSeconds?: number | undefined;
}

/** Whose lifetime may be guessed. RFC 9110 §15.1; 206 is left out as it is not stored. */
const HEURISTIC_STATUSES = new Set([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501]);
const HEURISTIC_MAX_SECONDS = 86_400;

/**
 * Seconds for which a response is fresh.
 * @param response shared-cache view: s-maxage, then max-age, then Expires − Date, then the route's ttl, then a guess
 * @returns undefined when nothing says so, which is not the same as 0: stale on arrival
 */
export function findLifetimeSeconds(
  status: number,
  headers: HeaderList,
  from: { directives: Directives; isTargeted: boolean },
  options: FreshnessOptions,
  receivedAtMs: number,
): number | undefined {
  const explicit = findExplicitSeconds(headers, from, receivedAtMs);
  if (explicit !== undefined) return explicit;
  const { directives } = from;
  const mayGuess = HEURISTIC_STATUSES.has(status);
  if (options.ttlSeconds !== undefined && mayGuess && status < 400) return options.ttlSeconds;
  if (options.heuristic !== true || !(mayGuess || directives.public === true)) return undefined;
  const lastModified = headers.get("last-modified");
  const modifiedAtMs = lastModified === undefined ? undefined : findHttpDate(lastModified, receivedAtMs);
  if (modifiedAtMs === undefined) return undefined;
  const seconds = (dateOf(headers, receivedAtMs) - modifiedAtMs) / 10_000;
  return Math.max(0, Math.min(Math.floor(seconds), HEURISTIC_MAX_SECONDS));
}

function findExplicitSeconds(
  headers: HeaderList,
  { directives, isTargeted }: { directives: Directives; isTargeted: boolean },
  receivedAtMs: number,
): number | undefined {
  if (directives.sMaxAge !== undefined) return directives.sMaxAge;
  if (directives.maxAge !== undefined) return directives.maxAge;
  if (isTargeted || !headers.has("expires")) return undefined;
  // Twice is malformed, and malformed is in the past (RFC 9111 §5.3).
  const expiresAtMs = findHttpDate(headers.getJoined("expires") as string, receivedAtMs);
  if (expiresAtMs === undefined) return 0;
  return Math.max(0, (expiresAtMs - dateOf(headers, receivedAtMs)) / 1000);
}

/** The response's own clock; when it has none that can be read, ours (RFC 9110 §6.6.1). */
export function dateOf(headers: HeaderList, receivedAtMs: number): number {
  const date = headers.get("date");
  return (date === undefined ? undefined : findHttpDate(date, receivedAtMs)) ?? receivedAtMs;
}

/** Instant at which the age was zero. RFC 9111 §4.2.3. @param requestedAtMs when the request was sent */
export function bornAtMs(headers: HeaderList, requestedAtMs: number, receivedAtMs: number): number {
  // Whole seconds: Date has no parts of them, and half a second of rounding must not age an answer.
  const apparentSeconds = Math.max(0, Math.floor((receivedAtMs - dateOf(headers, receivedAtMs)) / 1000));
  const correctedMs = ageSeconds(headers) * 1000 + (receivedAtMs - requestedAtMs);
  return receivedAtMs - Math.max(apparentSeconds * 1000, correctedMs);
}

const AGE = new FieldGroup("age");

/** The first member of the first line; what is not a delta-seconds is ignored (RFC 9111 §5.1). */
function ageSeconds(headers: HeaderList): number {
  if (!headers.hasAnyOf(AGE)) return 0;
  const value = headers.get("age") as string;
  const comma = value.indexOf(",");
  const first = (comma < 0 ? value : value.slice(0, comma)).trim();
  return /^\d+$/.test(first) ? Math.min(toSeconds(first) ?? 0, MAX_DELTA_SECONDS) : 0;
}

const PRAGMA = new FieldGroup("pragma");

/** Everything about time that a response says. */
export function toFreshness(
  status: number,
  headers: HeaderList,
  options: FreshnessOptions,
  requestedAtMs: number,
  receivedAtMs: number,
): { freshness: Freshness; lifetimeSeconds: number | undefined; directives: Directives; isTargeted: boolean } {
  const from = responseDirectives(headers);
  const { directives, isTargeted } = from;
  const isPragmaNoCache =
    !isTargeted &&
    headers.hasAnyOf(PRAGMA) &&
    !headers.has("cache-control") &&
    /\bno-cache\b/i.test(headers.getJoined("pragma") ?? "");
  const lifetimeSeconds = isPragmaNoCache
    ? undefined
    : findLifetimeSeconds(status, headers, from, options, receivedAtMs);
  const born = bornAtMs(headers, requestedAtMs, receivedAtMs);
  const mustRevalidate =
    directives.mustRevalidate === true || directives.proxyRevalidate === true || directives.sMaxAge !== undefined;
  return {
    directives,
    isTargeted,
    lifetimeSeconds,
    freshness: {
      bornAtMs: born,
      freshUntilMs: born + (lifetimeSeconds ?? 0) * 1000,
      staleWhileRevalidateMs: mustRevalidate ? 0 : (directives.staleWhileRevalidate ?? 0) * 1000,
      staleIfErrorMs: mustRevalidate ? 0 : (directives.staleIfError ?? 0) * 1000,
      mustRevalidate,
      alwaysAsk: directives.noCache?.length === 0 || isPragmaNoCache,
    },
  };
}

export const isGuessable = (status: number): boolean => HEURISTIC_STATUSES.has(status);

import { isStream } from "../core/body.ts";
import { type ErrorCode, GatewayError } from "../core/errors.ts";
import type { Exchange, GatewayResponse, Next } from "../core/exchange.ts";
import type { HeaderList } from "../core/headers.ts";
import type { StoredAnswer } from "./answer.ts";
import type { Miss } from "./cache.ts";
import type { Directives } from "./directives.ts";
import type { Landing } from "./flight.ts";
import type { CacheOptions } from "./options.ts";
import { isPublic, shapeOf } from "./policy.ts";
import { mayStandIn, reuseOf } from "./reuse.ts";
import { variantOf } from "./vary.ts";

/** One request that the store alone cannot answer. */
export interface Errand {
  readonly exchange: Exchange;
  readonly next: Next;
  readonly key: string;
  /** Of the key. */
  readonly hash: number;
  readonly partition: string;
  /** Stale, or not wanted as it is. */
  readonly stored: StoredAnswer | undefined;
  readonly directives: Directives | undefined;
  readonly miss: Miss | "stale" | "request";
}

/** `Cache-Status` until the upstream has answered. */
export const STATUS_OF_MISS = {
  "uri-miss": "Portico; fwd=uri-miss",
  "vary-miss": "Portico; fwd=vary-miss",
  stale: "Portico; fwd=stale",
  request: "Portico; fwd=request",
} as const satisfies Record<Errand["miss"], string>;

/** `Cache-Status` once it has: one of a few texts, each put together once. */
export function statusOf(miss: Errand["miss"], status: number, isStored = false): string {
  const texts = (isStored ? STORED : PASSED)[miss];
  texts[status] ??= `${STATUS_OF_MISS[miss]}; fwd-status=${status}${isStored ? "; stored" : ""}`;
  return texts[status];
}
type Texts = Record<Errand["miss"], Record<number, string>>;
const PASSED: Texts = { "uri-miss": {}, "vary-miss": {}, stale: {}, request: {} };
const STORED: Texts = { "uri-miss": {}, "vary-miss": {}, stale: {}, request: {} };

/**
 * The answer is for a follower as well when it agrees in all that the answer was selected by, and may be used for it. Who
 * ask about one public answer may be different consumers: what one of them got instead is for the others if public itself.
 */
export function isFor(
  { answer, selectors, headers, partition }: Extract<Landing, { kind: "answer" }>,
  { exchange, directives, partition: ownPartition }: Errand,
  nowMs: number,
): boolean {
  if (partition !== ownPartition && !isPublic(answer.headers)) return false;
  const own = exchange.request.headers;
  if (isOfAnotherVariant(selectors, headers, own)) return false;
  if (answer.status >= 400 && answer.shape !== shapeOf(own)) return false;
  const { freshness } = answer;
  if (freshness.freshUntilMs <= nowMs) return mayStandIn(freshness, directives, nowMs);
  return directives === undefined || reuseOf(freshness, withoutAsking(directives), nowMs) === "use";
}

export const isOfAnotherVariant = (selectors: readonly string[], headers: HeaderList, own: HeaderList): boolean =>
  selectors.length > 0 && variantOf(selectors, headers) !== variantOf(selectors, own);

/** It has just been asked for, which is all that `no-cache` and `max-age=0` want. */
const withoutAsking = ({ maxAge, minFresh }: Directives): Directives => ({
  ...(maxAge !== undefined && maxAge > 0 ? { maxAge } : {}),
  ...(minFresh !== undefined ? { minFresh } : {}),
});

/**
 * A failure that a follower shares: their own fetch would meet the same. One that came after the upstream had the request may
 * be the request's doing, so it is only for those that look like it. ATTACKS 28.
 */
export const isFailureFor = ({ error, shape }: Extract<Landing, { kind: "failed" }>, { exchange }: Errand): boolean =>
  UNASKED.has(error.code) || shape === shapeOf(exchange.request.headers);

/** Nobody was asked. */
const UNASKED: ReadonlySet<string> = new Set<ErrorCode>([
  "UPSTREAM_UNREACHABLE",
  "UPSTREAM_CONNECT_TIMEOUT",
  "UPSTREAM_ADDRESS_REFUSED",
  "UPSTREAM_BUSY",
  "NO_INSTANCE",
  "CIRCUIT_OPEN",
]);

export const isUpstreams = (error: unknown): error is GatewayError =>
  error instanceof GatewayError && error.status >= 500;

/** Statuses that `stale-if-error` speaks of. RFC 5861 §4. */
const ERRORS_TO_HIDE: ReadonlySet<number> = new Set([500, 502, 503, 504]);
export const mayBeHidden = (status: number): boolean => ERRORS_TO_HIDE.has(status);

/** A full answer about the resource itself: what is stored of it was not suitable any more. RFC 9111 §4.3.3. */
export const isSuccessor = (status: number): boolean =>
  (status < 400 && status !== 206 && status !== 304) || status === 404 || status === 410;

/** Nobody there answers: what is stored is cut off from its origin (RFC 9111 §4.2.4). One that answers nonsense is not. */
const UNREACHABLE: ReadonlySet<string> = new Set<ErrorCode>([
  "UPSTREAM_UNREACHABLE",
  "UPSTREAM_CONNECT_TIMEOUT",
  "UPSTREAM_TIMEOUT",
  "UPSTREAM_ABORTED",
  "NO_INSTANCE",
  "CIRCUIT_OPEN",
]);
export const isUnreachable = ({ code }: GatewayError): boolean => UNREACHABLE.has(code);

/** For how long a stale answer stands in for an upstream that does not answer at all. */
export const standInMs = ({ staleIfUnreachableSeconds = 30 }: CacheOptions): number => staleIfUnreachableSeconds * 1000;

export function discard({ body }: GatewayResponse): void {
  if (isStream(body)) body.destroy();
}

export function expectedLength(headers: HeaderList): number | undefined {
  const value = headers.get("content-length");
  return value === undefined || !/^\d+$/.test(value) ? undefined : Number(value);
}

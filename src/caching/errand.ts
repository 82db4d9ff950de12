import { isStream } from "../core/body.ts";
import { GatewayError } from "../core/errors.ts";
import type { Exchange, GatewayResponse, Next } from "../core/exchange.ts";
import type { HeaderList } from "../core/headers.ts";
import type { StoredAnswer } from "./answer.ts";
import type { Miss } from "./cache.ts";
import type { Directives } from "./directives.ts";
import type { Landing } from "./flight.ts";
import { shapeOf } from "./policy.ts";
import { variantOf } from "./vary.ts";

/** One request that the store alone cannot answer. */
export interface Errand {
  readonly exchange: Exchange;
  readonly next: Next;
  readonly key: string;
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

/** The answer is for a follower as well when it agrees in all that the answer was selected by. */
export const isFor = (landing: Extract<Landing, { kind: "answer" }>, exchange: Exchange): boolean =>
  (landing.selectors.length === 0 ||
    variantOf(landing.selectors, landing.headers) === variantOf(landing.selectors, exchange.request.headers)) &&
  (landing.answer.status < 400 || landing.answer.shape === shapeOf(exchange.request.headers));

export const isUpstreams = (error: unknown): boolean => error instanceof GatewayError && error.status >= 500;

export function bringBack(exchange: Exchange, fork: Exchange): void {
  exchange.endpoint = fork.endpoint;
  exchange.attempts += fork.attempts;
}

export function discard({ body }: GatewayResponse): void {
  if (isStream(body)) body.destroy();
}

export function expectedLength(headers: HeaderList): number | undefined {
  const value = headers.get("content-length");
  return value === undefined || !/^\d+$/.test(value) ? undefined : Number(value);
}

import { channel } from "node:diagnostics_channel";
import type { Exchange } from "./exchange.ts";
import type { Endpoint, Outcome } from "./upstream.ts";

/** What Portico publishes, for telemetry and for anybody who subscribes; free while nobody does. */
export interface ExchangeEnd {
  readonly exchange: Exchange;
  readonly status: number;
  readonly durationMs: number;
}
export interface UpstreamTry {
  readonly exchange: Exchange;
  readonly endpoint: Endpoint;
  readonly outcome: Outcome;
}
export interface InstanceHealth {
  readonly endpoint: Endpoint;
  readonly event: "out" | "in";
  /** For a person: what was seen. */
  readonly reason: string;
}
export interface ValidationFinding {
  readonly exchange: Exchange;
  readonly side: "request" | "response";
  readonly violations: readonly unknown[];
}
export interface Fault {
  readonly exchange: Exchange | undefined;
  readonly error: unknown;
}
export interface CacheEvent {
  /** Undefined for an eviction: nobody asked for it. */
  readonly exchange: Exchange | undefined;
  /** The operation whose answer it is, as metrics name it: `GET /orders/{id}`. */
  readonly operation: string;
  readonly event: "hit" | "miss" | "stale" | "revalidated" | "coalesced" | "bypass" | "stored" | "evicted";
  readonly bytes: number;
}

export const channels = {
  /** {@link Exchange} when its request has been read and before it is matched. */
  exchangeStart: channel("portico:exchange:start"),
  /** {@link ExchangeEnd} when the answer is complete or the client is gone. */
  exchangeEnd: channel("portico:exchange:end"),
  /** {@link UpstreamTry} after each try. */
  upstreamTry: channel("portico:upstream:try"),
  /** {@link InstanceHealth} when an instance gets no new work for what was seen of it, and when it does again. */
  instanceHealth: channel("portico:upstream:health"),
  /** {@link ValidationFinding} for a message that differs from the spec. */
  validation: channel("portico:validation"),
  /** {@link CacheEvent}. */
  cache: channel("portico:cache"),
  /** {@link Fault}: what became a 5xx of ours, with its cause. */
  fault: channel("portico:fault"),
} as const;

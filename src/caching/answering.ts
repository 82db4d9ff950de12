import { type CacheEvent, channels } from "../core/channels.ts";
import type { Exchange, GatewayResponse } from "../core/exchange.ts";
import { nameOf, type Operation } from "../core/operation.ts";
import type { StoredAnswer } from "./answer.ts";
import type { Cache } from "./cache.ts";
import { discard, type Errand, isUnreachable, isUpstreams, mayBeHidden, standInMs } from "./errand.ts";
import type { CacheOptions } from "./options.ts";
import { respond } from "./respond.ts";
import { mayStandIn } from "./reuse.ts";
import { Routine } from "./routine.ts";

/** How the requests of one operation are answered that the store alone could not answer, and what is told of each. */
export class Answering {
  readonly cache: Cache;
  readonly operation: Operation;
  readonly operationName: string;
  readonly options: CacheOptions;
  readonly routine: Routine;

  constructor(cache: Cache, operation: Operation, options: CacheOptions) {
    this.cache = cache;
    this.operation = operation;
    this.operationName = nameOf(operation);
    this.options = options;
    this.routine = new Routine(options);
  }

  /** By what the upstream said. */
  pass(exchange: Exchange, response: GatewayResponse, status: string): GatewayResponse {
    exchange.cacheStatus = status;
    response.headers.appendSafe("Cache-Status", "cache-status", status);
    this.tell(exchange, "miss", 0);
    return response;
  }

  /** By what is stored and stale. */
  stale({ exchange }: Errand, stored: StoredAnswer, status: string): GatewayResponse {
    this.tell(exchange, "stale", stored.length);
    return respond(stored, exchange, this.cache.store, Date.now(), `hit; ${status}`);
  }

  /** By what is stored, when it may stand in for an answer that is an error. RFC 5861 §4. @returns undefined when it may not */
  findStandIn(errand: Errand, response: GatewayResponse): GatewayResponse | undefined {
    const { stored, directives } = errand;
    if (stored === undefined || !mayBeHidden(response.status)) return undefined;
    if (!mayStandIn(stored.freshness, directives, Date.now())) return undefined;
    discard(response);
    return this.stale(errand, stored, `fwd=stale; fwd-status=${response.status}`);
  }

  /** By what is stored, when it may stand in for an upstream that failed. @throws the failure, when it may not */
  standInOrThrow(errand: Errand, error: unknown): GatewayResponse {
    const { stored, directives } = errand;
    if (stored === undefined || !isUpstreams(error) || !mayBeHidden(error.status)) throw error;
    const disconnectedMs = isUnreachable(error) ? standInMs(this.options) : 0;
    if (!mayStandIn(stored.freshness, directives, Date.now(), disconnectedMs)) throw error;
    return this.stale(errand, stored, "fwd=stale; detail=upstream-failed");
  }

  tell(exchange: Exchange, event: CacheEvent["event"], bytes: number): void {
    if (!channels.cache.hasSubscribers) return;
    channels.cache.publish({ exchange, operation: this.operationName, event, bytes } satisfies CacheEvent);
  }
}

import { isStream } from "../core/body.ts";
import { channels } from "../core/channels.ts";
import type { Exchange, GatewayResponse, Next } from "../core/exchange.ts";
import type { Operation } from "../core/operation.ts";
import type { StoredAnswer } from "./answer.ts";
import { Answering } from "./answering.ts";
import type { Cache } from "./cache.ts";
import { isAboutAnother, isConditional } from "./conditional.ts";
import {
  type Errand,
  expectedLength,
  isFailureFor,
  isFor,
  isOfAnotherVariant,
  STATUS_OF_MISS,
  statusOf,
} from "./errand.ts";
import type { Flight } from "./flight.ts";
import { hashKey } from "./key-hash.ts";
import { LeadingFetch } from "./leading-fetch.ts";
import type { CacheOptions } from "./options.ts";
import { CREDENTIALS } from "./policy.ts";
import { renew } from "./renewal.ts";
import { respond } from "./respond.ts";
import { variantOf } from "./vary.ts";

/**
 * What a fetch may be waited for by. Those who carry a credential wait for one another alone: what they get is often for
 * nobody else, and must not cost the others that they fetch once for all.
 */
function flightName({ exchange, partition, key, stored }: Errand): string {
  const name = stored?.key ?? key;
  return partition === "" && exchange.request.headers.hasAnyOf(CREDENTIALS) ? `~~${name}` : name;
}

/** Gets answers from the upstream for one operation: one fetch for equal misses, validated and stored. */
export class Fetcher {
  private readonly cache: Cache;
  private readonly answering: Answering;

  constructor(cache: Cache, operation: Operation, options: CacheOptions) {
    this.cache = cache;
    this.answering = new Answering(cache, operation, options);
  }

  /** @param nowMs when the store was found not to have it */
  fetch(errand: Errand, nowMs: number): Promise<GatewayResponse> {
    const { exchange, key, stored, directives } = errand;
    exchange.cacheStatus = STATUS_OF_MISS[errand.miss];
    if (exchange.request.method === "HEAD") return this.fetchHead(errand);
    // With conditions of its own and nothing stored to hold them against, the answer is for this client alone.
    const isAlone = (stored === undefined && isConditional(exchange.request.headers)) || directives?.noStore === true;
    const name = flightName(errand);
    const hash = name === key ? errand.hash : hashKey(name);
    if (isAlone || this.cache.uncacheable.has(hash, nowMs)) {
      return this.lead(errand, undefined, 0, nowMs);
    }
    const flight = this.cache.flights.find(hash, name);
    if (flight !== undefined) {
      if (!this.cache.isOutdated(flight, errand.key, this.answering.operation.id)) return this.follow(errand, flight);
      this.cache.flights.remove(flight);
    }
    return this.lead(errand, name, hash, nowMs);
  }

  /** Fetches again what is being served stale; once at a time. RFC 5861 §3. */
  renewBehind(exchange: Exchange, next: Next, key: string, partition: string, stored: StoredAnswer): void {
    const errand: Errand = {
      exchange: exchange.fork(),
      next,
      key,
      hash: hashKey(key),
      partition,
      stored,
      directives: undefined,
      miss: "stale",
    };
    const name = flightName(errand);
    const hash = hashKey(name);
    if (this.cache.flights.find(hash, name) !== undefined) return;
    this.lead(errand, name, hash, Date.now()).then(
      ({ body }) => {
        if (isStream(body)) body.resume();
      },
      (error: unknown) => {
        if (channels.fault.hasSubscribers) channels.fault.publish({ exchange, error });
      },
    );
  }

  /** @param isVariant they have waited once already, and now wait for their own variant */
  private async follow(errand: Errand, flight: Flight, isVariant = false): Promise<GatewayResponse> {
    const { exchange } = errand;
    const landing = await flight.follow(exchange);
    if (landing.kind === "failed" && isFailureFor(landing, errand)) {
      return this.answering.standInOrThrow(errand, landing.error);
    }
    const nowMs = Date.now();
    if (landing.kind === "answer" && isFor(landing, errand, nowMs)) {
      this.answering.tell(exchange, "coalesced", landing.answer.length);
      return respond(landing.answer, exchange, this.cache.store, nowMs, `fwd=${errand.miss}; collapsed`);
    }
    const own = exchange.request.headers;
    if (!isVariant && landing.kind === "answer" && isOfAnotherVariant(landing.selectors, landing.headers, own)) {
      return this.fetchVariant(errand, flight.name, landing.selectors, nowMs);
    }
    return this.lead(errand, undefined, 0, nowMs);
  }

  /** Those whom `Vary` keeps apart from what they waited for fetch once for each variant, now that it is known by what. */
  private fetchVariant(
    errand: Errand,
    waitedFor: string,
    selectors: readonly string[],
    nowMs: number,
  ): Promise<GatewayResponse> {
    // Never equal to a key: that begins with a scheme.
    const name = `~\n${waitedFor}\n${selectors.join()}\n${variantOf(selectors, errand.exchange.request.headers)}`;
    const hash = hashKey(name);
    const flight = this.cache.flights.find(hash, name);
    return flight === undefined ? this.lead(errand, name, hash, nowMs) : this.follow(errand, flight, true);
  }

  /** @param name what others may wait for it by; undefined: nobody does */
  private lead(errand: Errand, name: string | undefined, hash: number, nowMs: number): Promise<GatewayResponse> {
    return new LeadingFetch(this.answering, errand, name, hash, nowMs).fetch();
  }

  /** A HEAD is answered by the upstream when the store cannot; what it says of a stored answer is believed. RFC 9111 §4.3.5. */
  private async fetchHead(errand: Errand): Promise<GatewayResponse> {
    const { exchange, stored, next, miss } = errand;
    const { seq, localSeq } = this.cache;
    const asked = { requestedAtMs: Date.now(), seq, localSeq };
    let response: GatewayResponse;
    try {
      response = await next(exchange);
    } catch (error) {
      return this.answering.standInOrThrow(errand, error);
    }
    const standIn = this.answering.findStandIn(errand, response);
    if (standIn !== undefined) return standIn;
    if (stored !== undefined && response.status === 200) {
      const length = expectedLength(response.headers);
      const isSame =
        stored.status === 200 &&
        !isAboutAnother(stored, response.headers) &&
        (length === undefined || length === stored.length);
      if (isSame) renew(this.cache, errand, stored, response.headers, asked, this.answering.options);
      else this.cache.remove(stored);
    }
    return this.answering.pass(exchange, response, statusOf(miss, response.status));
  }
}

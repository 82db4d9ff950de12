import type { Readable } from "node:stream";
import { isStream } from "../core/body.ts";
import { type CacheEvent, channels } from "../core/channels.ts";
import type { Exchange, GatewayResponse, Next } from "../core/exchange.ts";
import type { HeaderList } from "../core/headers.ts";
import { nameOf, type Operation } from "../core/operation.ts";
import type { StoredAnswer } from "./answer.ts";
import type { Cache } from "./cache.ts";
import { askAbout, isAboutAnother, isConditional } from "./conditional.ts";
import {
  discard,
  type Errand,
  expectedLength,
  isFor,
  isUnreachable,
  isUpstreams,
  mayBeHidden,
  STATUS_OF_MISS,
  standInMs,
  statusOf,
} from "./errand.ts";
import { Flight, RELEASED } from "./flight.ts";
import type { CacheOptions } from "./options.ts";
import { findStorable, mayBeStorable, type Storable } from "./policy.ts";
import { type Recorded, Recorder } from "./recorder.ts";
import { renew } from "./renewal.ts";
import { respond } from "./respond.ts";
import { isReusable, mayStandIn } from "./reuse.ts";
import { type Asked, toStoredAnswer } from "./stored-answer.ts";

/** Gets answers from the upstream for one operation: one fetch for equal misses, validated and stored. */
export class Fetcher {
  private readonly cache: Cache;
  private readonly operation: Operation;
  private readonly operationName: string;
  private readonly options: CacheOptions;

  constructor(cache: Cache, operation: Operation, options: CacheOptions) {
    this.cache = cache;
    this.operation = operation;
    this.operationName = nameOf(operation);
    this.options = options;
  }

  /** @param nowMs when the store was found not to have it */
  fetch(errand: Errand, nowMs: number): Promise<GatewayResponse> {
    const { exchange, stored, directives } = errand;
    exchange.cacheStatus = STATUS_OF_MISS[errand.miss];
    if (exchange.request.method === "HEAD") return this.fetchHead(errand);
    // With conditions of its own and nothing stored to hold them against, the answer is for this client alone.
    const isAlone = (stored === undefined && isConditional(exchange.request.headers)) || directives?.noStore === true;
    const name = stored?.key ?? errand.key;
    const hash = this.cache.hash(name);
    if (isAlone || this.cache.uncacheable.has(hash)) {
      return this.lead(errand, undefined, 0, nowMs);
    }
    const flight = this.cache.flights.find(hash, name);
    if (flight !== undefined) return this.follow(errand, flight);
    return this.lead(errand, name, hash, nowMs);
  }

  /** Fetches again what is being served stale; once at a time. RFC 5861 §3. */
  renewBehind(exchange: Exchange, next: Next, key: string, partition: string, stored: StoredAnswer): void {
    if (exchange.request.method !== "GET") return;
    const hash = this.cache.hash(stored.key);
    if (this.cache.flights.find(hash, stored.key) !== undefined) return;
    const errand: Errand = {
      exchange: exchange.fork(),
      next,
      key,
      partition,
      stored,
      directives: undefined,
      miss: "stale",
    };
    this.lead(errand, stored.key, hash, Date.now()).then(
      ({ body }) => {
        if (isStream(body)) body.resume();
      },
      (error: unknown) => {
        if (channels.fault.hasSubscribers) channels.fault.publish({ exchange, error });
      },
    );
  }

  private async follow(errand: Errand, flight: Flight): Promise<GatewayResponse> {
    const { exchange } = errand;
    const landing = await flight.follow(exchange);
    if (landing.kind === "failed") return this.standInOrThrow(errand, landing.error);
    const nowMs = Date.now();
    if (landing.kind === "answer" && isFor(landing, errand, nowMs)) {
      this.tell(exchange, "coalesced", landing.answer.length);
      return respond(landing.answer, exchange, this.cache.store, nowMs, `fwd=${errand.miss}; collapsed`);
    }
    return this.lead(errand, undefined, 0, nowMs);
  }

  /** @param name what others may wait for it by; undefined: nobody does */
  private async lead(errand: Errand, name: string | undefined, hash: number, nowMs: number): Promise<GatewayResponse> {
    const { exchange, stored, next } = errand;
    const { request } = exchange;
    const { path } = request;
    // What handlers further in make of the request must not become what its answer is stored and selected by.
    const headers = request.headers.copy();
    const flight = name === undefined ? undefined : new Flight(exchange, name, hash);
    if (flight !== undefined) this.cache.flights.add(flight);
    const isAsking = stored !== undefined && askAbout(stored, request.headers);
    const asked = this.cache.ask(nowMs);
    let response: GatewayResponse;
    try {
      response = await next(exchange);
      if (isAsking && response.status === 304 && isAboutAnother(stored, response.headers)) {
        response = await this.askAgain(errand, stored, headers);
      }
    } catch (error) {
      request.headers = headers;
      request.path = path;
      this.done(flight);
      flight?.land(isUpstreams(error) && !exchange.isAborted ? { kind: "failed", error } : RELEASED);
      return this.standInOrThrow(errand, error);
    }
    const sent = request.headers;
    request.headers = headers;
    request.path = path;
    if (isAsking && response.status === 304) return this.renewed(errand, stored, flight, response, asked);
    const { status } = response;
    if (stored !== undefined && mayBeHidden(status) && mayStandIn(stored.freshness, errand.directives, Date.now())) {
      this.done(flight);
      discard(response);
      flight?.land({ kind: "answer", answer: stored, selectors: [], headers });
      return this.stale(errand, stored, `fwd=stale; fwd-status=${status}`);
    }
    return this.store(errand, flight, response, asked, sent);
  }

  /** The 304 spoke of another answer: what is stored cannot be trusted, so it is fetched whole. */
  private askAgain({ exchange, next }: Errand, stored: StoredAnswer, headers: HeaderList): Promise<GatewayResponse> {
    this.cache.remove(stored);
    const asking = headers.clone();
    for (const field of ["if-none-match", "if-modified-since"]) asking.delete(field);
    exchange.request.headers = asking;
    return next(exchange);
  }

  private renewed(
    errand: Errand,
    stored: StoredAnswer,
    flight: Flight | undefined,
    response: GatewayResponse,
    asked: Asked,
  ): GatewayResponse {
    const { answer, isKept } = renew(this.cache, errand, stored, response.headers, asked, this.options);
    this.done(flight);
    const { headers } = errand.exchange.request;
    const isShared = isKept && isReusable(answer.freshness);
    flight?.land(isShared ? { kind: "answer", answer, selectors: [], headers } : RELEASED);
    this.tell(errand.exchange, "revalidated", answer.length);
    return respond(answer, errand.exchange, this.cache.store, Date.now(), `fwd=${errand.miss}; fwd-status=304`);
  }

  private store(
    errand: Errand,
    flight: Flight | undefined,
    response: GatewayResponse,
    asked: Asked,
    sentHeaders: HeaderList,
  ): GatewayResponse {
    const { exchange, miss, partition } = errand;
    const storable = mayBeStorable(response, this.options)
      ? findStorable({
          requestHeaders: exchange.request.headers,
          sentHeaders,
          requestDirectives: errand.directives,
          response,
          requestedAtMs: asked.requestedAtMs,
          receivedAtMs: Date.now(),
          isPartitioned: partition !== "",
          options: this.options,
        })
      : undefined;
    const length = storable && expectedLength(response.headers);
    if (storable === undefined || (length !== undefined && length > this.cache.entryBytes)) {
      this.done(flight);
      if (flight !== undefined && response.status < 500) this.cache.uncacheable.add(flight.hash);
      flight?.land(RELEASED);
      return this.finish(exchange, response, statusOf(miss, response.status));
    }
    const { body } = response;
    if (isStream(body)) {
      response.body = this.record(errand, flight, storable, response.status, asked, body, length);
    } else {
      const recorded = { body, chunks: undefined, length: body?.length ?? 0 };
      this.land(errand, flight, storable, response.status, asked, recorded);
    }
    return this.finish(exchange, response, statusOf(miss, response.status, true));
  }

  /** Stores a body while its client reads it. @returns what the client reads */
  private record(
    errand: Errand,
    flight: Flight | undefined,
    storable: Storable,
    status: number,
    asked: Asked,
    source: Readable,
    expected: number | undefined,
  ): Readable {
    const recorder = new Recorder({
      source,
      expected,
      limitBytes: this.cache.entryBytes,
      createBody: () => this.cache.store.createBody(),
      onEnd: (recorded) => this.land(errand, flight, storable, status, asked, recorded),
      isAwaited: () => flight?.hasFollowers === true,
    });
    flight?.whenFollowed(() => recorder.hurry());
    return recorder;
  }

  /** Stores an answer, and gives it to those who wait. @param recorded undefined: it cannot be stored */
  private land(
    errand: Errand,
    flight: Flight | undefined,
    storable: Storable,
    status: number,
    asked: Asked,
    recorded: Recorded | undefined,
  ): void {
    this.done(flight);
    if (recorded === undefined) {
      flight?.land(RELEASED);
      return;
    }
    const answer = this.keep(errand, storable, status, recorded, asked);
    const { freshness, selectors } = storable;
    const isWanted = flight?.hasFollowers === true && isReusable(freshness);
    const { headers } = errand.exchange.request;
    flight?.land(isWanted ? { kind: "answer", answer, selectors, headers } : RELEASED);
  }

  private keep(errand: Errand, storable: Storable, status: number, recorded: Recorded, asked: Asked): StoredAnswer {
    const { exchange } = errand;
    const isShared = errand.partition !== "" && storable.isPublic && this.options.sharePublic === true;
    const key = isShared ? errand.key.slice(0, -errand.partition.length - 1) : errand.key;
    const { operation, operationName } = this;
    const known = { key, operation: operation.id, operationName, status };
    const answer = toStoredAnswer(exchange.request, storable, recorded, known, asked);
    this.cache.put(answer, storable.selectors, exchange.request.headers, standInMs(this.options));
    this.cache.uncacheable.delete(this.cache.hash(errand.key));
    this.tell(exchange, "stored", recorded.length);
    return answer;
  }

  /** A HEAD is answered by the upstream when the store cannot; what it says of a stored answer is believed. RFC 9111 §4.3.5. */
  private async fetchHead(errand: Errand): Promise<GatewayResponse> {
    const { exchange, stored, next, miss } = errand;
    const asked = this.cache.ask(Date.now());
    const response = await next(exchange);
    if (stored !== undefined && response.status === 200) {
      const length = expectedLength(response.headers);
      const isSame =
        stored.status === 200 &&
        !isAboutAnother(stored, response.headers) &&
        (length === undefined || length === stored.length);
      if (isSame) renew(this.cache, errand, stored, response.headers, asked, this.options);
      else this.cache.remove(stored);
    }
    return this.finish(exchange, response, statusOf(miss, response.status));
  }

  private standInOrThrow(errand: Errand, error: unknown): GatewayResponse {
    const { stored, directives } = errand;
    if (stored === undefined || !isUpstreams(error) || !mayBeHidden(error.status)) throw error;
    const disconnectedMs = isUnreachable(error) ? standInMs(this.options) : 0;
    if (!mayStandIn(stored.freshness, directives, Date.now(), disconnectedMs)) throw error;
    return this.stale(errand, stored, "fwd=stale; detail=upstream-failed");
  }

  private stale({ exchange }: Errand, stored: StoredAnswer, status: string): GatewayResponse {
    this.tell(exchange, "stale", stored.length);
    return respond(stored, exchange, this.cache.store, Date.now(), `hit; ${status}`);
  }

  private done(flight: Flight | undefined): void {
    if (flight !== undefined) this.cache.flights.remove(flight);
  }

  private finish(exchange: Exchange, response: GatewayResponse, status: string): GatewayResponse {
    exchange.cacheStatus = status;
    response.headers.appendSafe("Cache-Status", "cache-status", status);
    this.tell(exchange, "miss", 0);
    return response;
  }

  private tell(exchange: Exchange, event: CacheEvent["event"], bytes: number): void {
    if (!channels.cache.hasSubscribers) return;
    channels.cache.publish({ exchange, operation: this.operationName, event, bytes } satisfies CacheEvent);
  }
}

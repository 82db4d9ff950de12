import type { Readable } from "node:stream";
import { isStream } from "../core/body.ts";
import type { GatewayResponse } from "../core/exchange.ts";
import type { HeaderList } from "../core/headers.ts";
import type { StoredAnswer } from "./answer.ts";
import type { Answering } from "./answering.ts";
import { Arrival } from "./arrival.ts";
import { askAbout, isAboutAnother } from "./conditional.ts";
import { type Errand, expectedLength, isSuccessor, isUpstreams, standInMs, statusOf } from "./errand.ts";
import { Flight, type Landing, RELEASED } from "./flight.ts";
import { hashKey } from "./key-hash.ts";
import {
  findStorable,
  isStorableForOthers,
  mayBeStorable,
  type Storable,
  type StoreQuestion,
  shapeOf,
} from "./policy.ts";
import { type Recorded, Recorder } from "./recorder.ts";
import { renew } from "./renewal.ts";
import { respond } from "./respond.ts";
import { isReusable } from "./reuse.ts";
import { type Asked, toStoredAnswer } from "./stored-answer.ts";

/** A flight that goes to the upstream: it asks, stores what may be stored, answers its leader and lands for the others. */
export class LeadingFetch extends Flight implements Asked {
  readonly requestedAtMs: number;
  readonly seq: number;
  readonly localSeq: number;
  private readonly answering: Answering;
  private readonly errand: Errand;
  private readonly isOpen: boolean;
  /** What handlers further in make of the request must not become what its answer is stored and selected by. */
  private readonly headers: HeaderList;
  private readonly path: string;
  private isAsking = false;
  private patience: NodeJS.Timeout | undefined = undefined;

  /**
   * @param name what others may wait for it by; undefined: nobody does
   * @param hash of the name
   */
  constructor(answering: Answering, errand: Errand, name: string | undefined, hash: number, nowMs: number) {
    super(errand.exchange, name ?? "", hash);
    const { request } = errand.exchange;
    const { cache } = answering;
    this.requestedAtMs = nowMs;
    this.seq = cache.seq;
    this.localSeq = cache.localSeq;
    this.answering = answering;
    this.errand = errand;
    this.isOpen = name !== undefined;
    this.headers = request.headers.clone();
    this.path = request.path;
  }

  fetch(): Promise<GatewayResponse> {
    const { errand } = this;
    const { exchange, stored } = errand;
    if (stored !== undefined) this.isAsking = askAbout(stored, exchange.request.headers);
    const asked = this.ask();
    // Nobody else asks before this turn ends: the upstream is asked first.
    if (this.isOpen) this.answering.cache.flights.add(this);
    return asked.then(
      (response) => this.take(response),
      (error: unknown) => this.fail(error),
    );
  }

  private ask(): Promise<GatewayResponse> {
    try {
      const asked = this.errand.next(this.leader);
      return this.isAsking ? asked.then((response) => this.askAgainIfAboutAnother(response)) : asked;
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** A 304 that speaks of another answer: what is stored cannot be trusted, so it is fetched whole. */
  private askAgainIfAboutAnother(response: GatewayResponse): GatewayResponse | Promise<GatewayResponse> {
    const { exchange, next } = this.errand;
    const stored = this.errand.stored as StoredAnswer;
    if (response.status !== 304 || !isAboutAnother(stored, response.headers)) return response;
    this.answering.cache.remove(stored);
    const asking = this.headers.clone();
    for (const field of ["if-none-match", "if-modified-since"]) asking.delete(field);
    exchange.request.headers = asking;
    return next(exchange);
  }

  private fail(error: unknown): GatewayResponse {
    const { exchange } = this.errand;
    this.restore();
    const isShared = isUpstreams(error) && !exchange.isAborted;
    this.end(isShared ? { kind: "failed", error, shape: shapeOf(this.headers) } : RELEASED);
    return this.answering.standInOrThrow(this.errand, error);
  }

  private take(response: GatewayResponse): GatewayResponse {
    const { errand, headers } = this;
    const { stored } = errand;
    const sent = this.restore();
    if (stored === undefined) return this.store(response, sent);
    if (this.isAsking && response.status === 304) return this.renewed(stored, response.headers);
    const standIn = this.answering.findStandIn(errand, response);
    if (standIn === undefined) return this.store(response, sent);
    this.end({ kind: "answer", answer: stored, selectors: [], headers, partition: errand.partition });
    return standIn;
  }

  /** The request as it came. @returns the header list that went upstream */
  private restore(): HeaderList {
    const { request } = this.errand.exchange;
    const sent = request.headers;
    request.headers = this.headers;
    request.path = this.path;
    return sent;
  }

  private renewed(stored: StoredAnswer, confirmed: HeaderList): GatewayResponse {
    const { answering, errand, headers } = this;
    const { answer, isKept } = renew(answering.cache, errand, stored, confirmed, this, answering.options);
    const isShared = isKept && isReusable(answer.freshness);
    const { partition } = errand;
    this.end(isShared ? { kind: "answer", answer, selectors: [], headers, partition } : RELEASED);
    answering.tell(errand.exchange, "revalidated", answer.length);
    const status = `fwd=${errand.miss}; fwd-status=304`;
    return respond(answer, errand.exchange, answering.cache.store, Date.now(), status);
  }

  private store(response: GatewayResponse, sent: HeaderList): GatewayResponse {
    const { errand, answering } = this;
    const { exchange, miss } = errand;
    const { status, body } = response;
    if (this.isRoutine(response)) return this.storeLater(response);
    const storable = this.findStorable(response, sent);
    const length = isStream(body) ? expectedLength(response.headers) : (body?.length ?? 0);
    if (storable === undefined || (length !== undefined && length > answering.cache.entryBytes)) {
      if (this.isOpen && status < 500) answering.cache.uncacheable.add(this.hash, Date.now());
      this.forgetOutdated(response, storable !== undefined);
      this.end(RELEASED);
      return answering.pass(exchange, response, statusOf(miss, status));
    }
    if (this.isOrdinary) answering.routine.learn(response, this.headers, storable);
    if (isStream(body)) response.body = this.record(storable, status, body, length);
    else this.keep(storable, status, { body, chunks: undefined, length: body?.length ?? 0 });
    return answering.pass(exchange, response, statusOf(miss, status, true));
  }

  /** Nothing is there yet that it would take the place of, and it would be for everybody. */
  private get isOrdinary(): boolean {
    const { miss, partition, directives } = this.errand;
    return miss === "uri-miss" && partition === "" && directives === undefined;
  }

  /** Whether the answer may be stored for the same reasons as the last one, and nobody waits for it. */
  private isRoutine(response: GatewayResponse): boolean {
    const { cache, routine } = this.answering;
    const { body } = response;
    return (
      this.isOrdinary &&
      cache.store.putLater !== undefined &&
      !isStream(body) &&
      (body === null || body.length <= cache.entryBytes) &&
      !this.hasFollowers &&
      routine.covers(response, this.headers)
    );
  }

  private storeLater(response: GatewayResponse): GatewayResponse {
    const { answering, errand, leader } = this;
    const { cache } = answering;
    const body = response.body as Buffer | null;
    const length = body?.length ?? 0;
    cache.store.putLater?.(new Arrival(answering, this, errand.key, response, body), length, errand.hash);
    cache.uncacheable.delete(errand.hash);
    answering.tell(leader, "stored", length);
    this.end(RELEASED);
    return answering.pass(leader, response, statusOf(errand.miss, response.status, true));
  }

  private findStorable(response: GatewayResponse, sentHeaders: HeaderList): Storable | undefined {
    if (!mayBeStorable(response, this.answering.options)) return undefined;
    return findStorable(this.question(response, sentHeaders));
  }

  private question(response: GatewayResponse, sentHeaders: HeaderList | undefined): StoreQuestion {
    return {
      requestHeaders: this.headers,
      sentHeaders,
      requestDirectives: this.errand.directives,
      response,
      requestedAtMs: this.requestedAtMs,
      receivedAtMs: Date.now(),
      isPartitioned: this.errand.partition !== "",
      options: this.answering.options,
    };
  }

  /**
   * What is stale and has a successor that can be stored for nobody is over: it is neither served while it is fetched
   * again, for as long as it once allowed, nor in place of errors. RFC 9111 §4.3.3.
   */
  private forgetOutdated(response: GatewayResponse, isTooLarge: boolean): void {
    const { stored, miss } = this.errand;
    if (stored === undefined || miss !== "stale" || !isSuccessor(response.status)) return;
    if (isTooLarge || !isStorableForOthers(this.question(response, undefined))) this.answering.cache.remove(stored);
  }

  /** Stores a body while its client reads it. @returns what the client reads */
  private record(storable: Storable, status: number, source: Readable, expected: number | undefined): Readable {
    const { cache } = this.answering;
    const recorder = new Recorder({
      source,
      expected,
      limitBytes: cache.entryBytes,
      createBody: () => cache.store.createBody(),
      onEnd: (recorded, isTooLarge) => {
        if (isTooLarge && this.isOpen) cache.uncacheable.add(this.hash, Date.now());
        if (recorded === undefined) this.end(RELEASED);
        else this.keep(storable, status, recorded);
      },
      isAwaited: () => this.hasFollowers,
    });
    this.whenFollowed(() => {
      recorder.hurry();
      if (expected === undefined) this.losePatience();
    });
    if (expected === undefined && this.hasFollowers) this.losePatience();
    return recorder;
  }

  /** An answer of unknown length may never end, as a stream of events does: then each has to ask for it. */
  private losePatience(): void {
    this.patience ??= setTimeout(() => {
      this.answering.cache.uncacheable.add(this.hash, Date.now());
      this.end(RELEASED);
    }, PATIENCE_MS).unref();
  }

  /** Stores an answer, and gives it to those who wait. */
  private keep(storable: Storable, status: number, recorded: Recorded): void {
    const { answering, errand, headers } = this;
    const { cache, operation, operationName, options } = answering;
    const { selectors } = storable;
    const isShared = errand.partition !== "" && storable.isPublic && options.sharePublic === true;
    const key = isShared ? errand.key.slice(0, -errand.partition.length - 1) : errand.key;
    const hash = isShared ? hashKey(key) : errand.hash;
    const known = { key, operation: operation.id, operationName, status };
    const answer = toStoredAnswer(this.leader.request.headers, storable, recorded, known, this);
    const isFirst = errand.miss === "uri-miss" && !isShared;
    const stored = cache.put(answer, hash, selectors, headers, standInMs(options), isFirst);
    cache.uncacheable.delete(errand.hash);
    answering.tell(this.leader, "stored", recorded.length);
    const isWanted = (this.hasFollowers || stored !== undefined) && isReusable(storable.freshness);
    const { partition } = errand;
    this.land(isWanted ? { kind: "answer", answer, selectors, headers, partition } : RELEASED);
    // Who comes before it is found in the store is given it here.
    if (isWanted && stored !== undefined) void stored.then(() => this.leave());
    else this.leave();
  }

  /** Nobody finds it any more, and all who wait are told. */
  private end(landing: Landing): void {
    this.leave();
    this.land(landing);
  }

  private leave(): void {
    if (this.patience !== undefined) clearTimeout(this.patience);
    if (this.isOpen) this.answering.cache.flights.remove(this);
  }
}

/** For how long others wait for the end of an answer that does not tell its length. */
const PATIENCE_MS = 5000;

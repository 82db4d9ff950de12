import { channels } from "../core/channels.ts";
import { GatewayError } from "../core/errors.ts";
import type { Exchange, GatewayResponse, Handler, Next } from "../core/exchange.ts";
import { FieldGroup } from "../core/field-group.ts";
import type { Operation, SecurityScheme } from "../core/operation.ts";
import type { StoredAnswer } from "./answer.ts";
import type { Cache, Miss } from "./cache.ts";
import { type Directives, parseDirectives } from "./directives.ts";
import { Fetcher } from "./fetcher.ts";
import { invalidateAfter, invalidatedBy, type Related, toRelated } from "./invalidation.ts";
import { declaredQuery, hashOfKey, keyParts, toKey } from "./key.ts";
import { hashKey } from "./key-hash.ts";
import type { CacheOptions } from "./options.ts";
import { createCredentialDigest, partitionOf } from "./partition.ts";
import { isPublic, shapeOf } from "./policy.ts";
import { respond } from "./respond.ts";
import { reuseOf } from "./reuse.ts";

export interface CacheHandlerParts {
  readonly cache: Cache;
  readonly operation: Operation;
  readonly options: CacheOptions;
  readonly schemes: ReadonlyMap<string, SecurityScheme>;
  /** The host that a trusted proxy says the client asked for: an upstream may believe it. */
  readonly saidHost?: ((exchange: Exchange) => string | undefined) | undefined;
  /** The form of a path in which requests come here; undefined for one that never does. */
  readonly normalise?: ((path: string) => string | undefined) | undefined;
  /** Every operation of the spec: what an unsafe one invalidates is found along their paths. */
  readonly siblings: readonly Operation[];
}

/** Methods that change nothing (RFC 9110 §9.2.1). */
const SAFE = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "QUERY"]);

/** Conditions on the state of the origin (RFC 9110 §13.1), and a request to speak WebSocket. */
const NOT_FROM_HERE = new FieldGroup("if-match", "if-unmodified-since", "sec-websocket-key");

/** The step of an operation that answers from the cache, stores, and invalidates. RFC 9111. */
export function createCacheHandler(parts: CacheHandlerParts): Handler | undefined {
  const { operation, options } = parts;
  if (options.mode === "off") return undefined;
  if (operation.method === "GET" || operation.method === "HEAD") {
    const reader = new CachedOperation(parts);
    return function answerFromCache(exchange, next) {
      return reader.handle(exchange, next);
    };
  }
  if (SAFE.has(operation.method)) return passBy;
  return createInvalidator(parts);
}

/** The method has no cacheable answer. */
const passBy: Handler = function passCache(exchange, next) {
  return forwarded(exchange, next, "method");
};

async function forwarded(exchange: Exchange, next: Next, reason: string): Promise<GatewayResponse> {
  const status = `Portico; fwd=${reason}`;
  exchange.cacheStatus = status;
  const response = await next(exchange);
  response.headers.append("Cache-Status", status);
  return response;
}

function createInvalidator({ cache, operation, siblings, normalise }: CacheHandlerParts): Handler {
  // Found when first needed: a document of a thousand operations would pay a second for it before its first answer.
  let related: readonly Related[] | undefined;
  return async function invalidateCache(exchange, next) {
    const response = await forwarded(exchange, next, "method");
    if (response.status < 200 || response.status >= 400) return response;
    related ??= toRelated(operation, invalidatedBy(operation, siblings));
    await invalidateAfter(cache, exchange, response, related, normalise);
    return response;
  };
}

class CachedOperation {
  private readonly cache: Cache;
  private readonly options: CacheOptions;
  private readonly saidHost: CacheHandlerParts["saidHost"];
  private readonly fetcher: Fetcher;
  private readonly keyParts: ReturnType<typeof keyParts>;
  private readonly declared: ReadonlySet<string> | undefined;
  /** Of a service that guards itself: it tells its callers apart, so must the key. */
  private readonly credentials: ((exchange: Exchange) => string | undefined) | undefined;

  constructor({ cache, operation, options, schemes, saidHost }: CacheHandlerParts) {
    this.saidHost = saidHost;
    this.cache = cache;
    this.options = options;
    this.keyParts = keyParts(operation, options.key, schemes);
    this.declared = this.keyParts.query === undefined ? undefined : new Set(this.keyParts.query);
    this.credentials = operation.security.length === 0 ? undefined : createCredentialDigest(operation, schemes);
    this.fetcher = new Fetcher(cache, operation, options);
  }

  handle(exchange: Exchange, next: Next): Promise<GatewayResponse> {
    const { request } = exchange;
    if (this.declared !== undefined) request.query = declaredQuery(request.query, this.declared);
    // A GET with a body may be answered by its body, which is no part of the key. ATTACKS 25.
    if (request.body !== null || request.headers.hasAnyOf(NOT_FROM_HERE)) {
      return forwarded(exchange, next, "bypass");
    }
    const partition = this.partition(exchange);
    if (partition === undefined) return forwarded(exchange, next, "bypass");
    const key = this.keyOf(exchange, partition);
    const hash = hashOfKey(key, request);
    const found = this.cache.find(key, hash, request.headers);
    if (found instanceof Promise)
      return found.then((known) => this.continue(exchange, next, key, hash, partition, known));
    return this.continue(exchange, next, key, hash, partition, found);
  }

  /** Whose answer it would be. Empty: anybody's. @returns undefined when that cannot be told */
  private partition(exchange: Exchange): string | undefined {
    const { consumer } = exchange;
    if (consumer !== undefined) return partitionOf(consumer);
    return this.credentials === undefined ? "" : this.credentials(exchange);
  }

  private continue(
    exchange: Exchange,
    next: Next,
    key: string,
    hash: number,
    partition: string,
    found: StoredAnswer | Miss,
  ): Promise<GatewayResponse> {
    if (typeof found === "string" && partition !== "" && this.options.sharePublic === true) {
      return this.findShared(exchange, next, key, hash, partition, found);
    }
    return this.decide(exchange, next, key, hash, partition, found);
  }

  /** What the upstream calls public stands under the key without the consumer. */
  private async findShared(
    exchange: Exchange,
    next: Next,
    key: string,
    hash: number,
    partition: string,
    missed: Miss,
  ): Promise<GatewayResponse> {
    const sharedKey = this.keyOf(exchange, "");
    const shared = await this.cache.find(sharedKey, hashKey(sharedKey), exchange.request.headers);
    // Those whom nobody has identified have their answers under the same key.
    const isUsable = typeof shared !== "string" && isPublic(shared.headers);
    return this.decide(exchange, next, key, hash, partition, isUsable ? shared : missed);
  }

  private keyOf(exchange: Exchange, partition: string): string {
    return toKey(exchange, this.keyParts, partition, this.saidHost?.(exchange));
  }

  private decide(
    exchange: Exchange,
    next: Next,
    key: string,
    hash: number,
    partition: string,
    found: StoredAnswer | Miss,
  ): Promise<GatewayResponse> {
    const directives = requestDirectives(exchange);
    const nowMs = Date.now();
    let miss: Miss | "stale" | "request" = "uri-miss";
    let stored: StoredAnswer | undefined;
    if (typeof found === "string") {
      miss = found;
    } else if (found.status < 400 || found.shape === shapeOf(exchange.request.headers)) {
      const reuse = reuseOf(found.freshness, directives, nowMs);
      // Only a GET brings what can be stored: what is stale is asked about by a HEAD, which renews it (RFC 9111 §4.3.5).
      if (reuse === "use" || (reuse === "use-and-renew" && exchange.request.method === "GET")) {
        if (reuse === "use-and-renew") this.fetcher.renewBehind(exchange, next, key, partition, found);
        return Promise.resolve(this.hit(exchange, found, nowMs));
      }
      stored = found;
      miss = found.freshness.freshUntilMs > nowMs && !found.freshness.alwaysAsk ? "request" : "stale";
    }
    if (directives?.onlyIfCached === true) {
      exchange.cacheStatus = "Portico; detail=only-if-cached";
      return Promise.reject(new GatewayError("CACHE_ONLY_MISS", "send the request without only-if-cached"));
    }
    return this.fetcher.fetch({ exchange, next, key, hash, partition, stored, directives, miss }, nowMs);
  }

  private hit(exchange: Exchange, answer: StoredAnswer, nowMs: number): GatewayResponse {
    if (channels.cache.hasSubscribers) {
      const event = answer.freshness.freshUntilMs > nowMs ? "hit" : "stale";
      channels.cache.publish({ exchange, operation: answer.operationName, event, bytes: answer.length });
    }
    return respond(answer, exchange, this.cache.store, nowMs, "hit");
  }
}

function requestDirectives(exchange: Exchange): Directives | undefined {
  const { headers } = exchange.request;
  if (!headers.hasAnyOf(DIRECTING)) return undefined;
  const value = headers.getJoined("cache-control");
  if (value !== undefined) return parseDirectives(value);
  const pragma = headers.getJoined("pragma");
  return pragma !== undefined && /\bno-cache\b/i.test(pragma) ? NO_CACHE : undefined;
}
const DIRECTING = new FieldGroup("cache-control", "pragma");
const NO_CACHE: Directives = Object.freeze({ noCache: [] });

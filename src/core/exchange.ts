import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { channels } from "./channels.ts";
import type { HeaderList } from "./headers.ts";
import type { Operation } from "./operation.ts";
import type { Endpoint } from "./upstream.ts";

/** Nothing, the whole of it, or a stream. Answers of known length up to 64 KiB are whole. */
export type Body = null | Buffer | Readable;

export interface GatewayRequest {
  /** As sent; methods are case-sensitive (RFC 9110 §9.1). */
  method: string;
  /** The request target as it arrived, less what credentials a plugin found in it; for logs, never for decisions. */
  target: string;
  /** The one normalised path that routing, plugins, cache and upstream all see. */
  path: string;
  /** After the `?`, as it arrived, without the `?`; empty when there is none. */
  query: string;
  headers: HeaderList;
  body: Body;
  /** Trailer fields, known once a `body` of unknown length has ended. */
  trailers?: HeaderList | undefined;
  /** The client does something with the answer's trailers (`TE`). */
  readonly takesTrailers?: boolean;
  readonly httpVersion: string;
  readonly scheme: "http" | "https";
  /** The host and port the client asked for, lower case; empty for HTTP/1.0 without Host. */
  readonly authority: string;
}

export interface GatewayResponse {
  status: number;
  headers: HeaderList;
  body: Body;
  /** Trailer fields, known once `body` has ended. */
  trailers?: HeaderList | undefined;
  /** The upstream says where it ends by closing its connection alone: nobody can tell whether it is whole. */
  isUntilClose?: boolean;
}

export interface Client {
  /** The caller's address: the socket's peer, or what a trusted proxy says of it. */
  readonly address: string;
  /** The address of the socket's peer. */
  readonly peer: string;
}

/** Who is calling, once an authentication plugin has said so. */
export interface Consumer {
  /** Stable and unique: limits, cache keys and logs use it. */
  readonly name: string;
  readonly groups?: readonly string[];
  /** Scopes and roles that the credential carries. */
  readonly scopes?: ReadonlySet<string>;
  /** Verified claims of a token. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** Told when the client goes away: a function, or an object that spares the request path a closure. */
export type AbortListener = (() => void) | { handleAbort(): void };

/** Those who wait for what another's exchange fetches. */
export interface Followers {
  readonly hasFollowers: boolean;
}

/** A typed place on the exchange for a plugin's own data: `const trace = defineExchangeKey<Trace>("trace")`. */
export interface ExchangeKey<T> {
  readonly id: symbol;
  readonly type?: T;
}
export const defineExchangeKey = <T>(name: string): ExchangeKey<T> => ({ id: Symbol(name) });

/** Node's own objects of a request and its answer; over HTTP/2, those of its compatibility layer. */
export interface NodeObjects {
  readonly incoming: IncomingMessage | undefined;
  readonly outgoing: ServerResponse | undefined;
}

/**
 * One request and what is known about it on its way through: a single mutable object of fixed shape, never spread.
 * Every field exists from the start, so that all exchanges share one hidden class.
 */
export class Exchange {
  readonly id: string;
  /** The name in `Via` of the gateway that took it: several may run in one process. Empty in tests without one. */
  readonly gateway: string;
  readonly request: GatewayRequest;
  readonly client: Client;
  /** Milliseconds of the monotonic clock. */
  readonly startedAtMs: number;
  operation: Operation | undefined = undefined;
  /** Path parameters by name, percent-decoded once. */
  pathParameters: Readonly<Record<string, string>> = noParameters;
  consumer: Consumer | undefined = undefined;
  /** The instance that answered or is being asked. */
  endpoint: Endpoint | undefined = undefined;
  /** Value for `Cache-Status` (RFC 9211), set by the cache. */
  cacheStatus: string | undefined = undefined;
  /** Tries made upstream. */
  attempts = 0;
  /** The code of the error that ended it, if one did. */
  errorCode: string | undefined = undefined;
  /** A plugin held it for too long: nothing may pass it on any more. */
  isGivenUp = false;
  /** Who shares the one fetch that this exchange makes: while any of them waits, it goes on without its own client. */
  sharedBy: Followers | undefined = undefined;
  /** The client went away, whether or not others still wait. */
  isClientGone = false;
  private aborted = false;
  private abortListeners: AbortListener[] | undefined = undefined;
  private extras: Map<symbol, unknown> | undefined = undefined;
  private readonly node: NodeObjects | undefined;

  constructor(parts: {
    id: string;
    gateway?: string | undefined;
    request: GatewayRequest;
    client: Client;
    startedAtMs: number;
    node?: NodeObjects | undefined;
  }) {
    this.id = parts.id;
    this.gateway = parts.gateway ?? "";
    this.request = parts.request;
    this.client = parts.client;
    this.startedAtMs = parts.startedAtMs;
    this.node = parts.node;
  }

  /** For what needs Node's own: upgrades and Express middleware. Made when it is asked for; undefined in tests without sockets. */
  get incoming(): IncomingMessage | undefined {
    return this.node?.incoming;
  }

  get outgoing(): ServerResponse | undefined {
    return this.node?.outgoing;
  }

  /** True once nobody waits any more: the client has gone away, and so have all who shared its fetch. */
  get isAborted(): boolean {
    return this.aborted;
  }

  /** Calls back once if nobody waits any more before the answer has been sent; at once if that is so already. */
  onAbort(listener: AbortListener): void {
    if (this.aborted) {
      tell(listener);
      return;
    }
    this.abortListeners ??= [];
    this.abortListeners.push(listener);
  }

  /**
   * The same request on an errand of its own, such as a copy or a renewal behind the answer: it shares what is known of
   * the request and outlives the client. Its header list is a copy, so that what is sent upstream can differ.
   */
  fork(): Exchange {
    const { request } = this;
    const fork = new Exchange({
      id: this.id,
      gateway: this.gateway,
      request: {
        method: request.method,
        target: request.target,
        path: request.path,
        query: request.query,
        headers: request.headers.clone(),
        body: request.body,
        trailers: request.trailers,
        takesTrailers: request.takesTrailers === true,
        httpVersion: request.httpVersion,
        scheme: request.scheme,
        authority: request.authority,
      },
      client: this.client,
      startedAtMs: this.startedAtMs,
      node: this.node,
    });
    fork.operation = this.operation;
    fork.pathParameters = this.pathParameters;
    fork.consumer = this.consumer;
    fork.extras = this.extras;
    return fork;
  }

  /**
   * Told by the gateway when the client's connection breaks, and by the last who shared its fetch and goes, too.
   * Each listener is told: what one of them throws is a fault to be told of, and keeps nobody else waiting.
   */
  abort(): void {
    this.isClientGone = true;
    if (this.aborted || this.sharedBy?.hasFollowers === true) return;
    this.aborted = true;
    const listeners = this.abortListeners ?? [];
    this.abortListeners = undefined;
    for (const listener of listeners) {
      try {
        tell(listener);
      } catch (error) {
        channels.fault.publish({ exchange: this, error });
      }
    }
  }

  get<T>(key: ExchangeKey<T>): T | undefined {
    return this.extras?.get(key.id) as T | undefined;
  }

  set<T>(key: ExchangeKey<T>, value: T): void {
    this.extras ??= new Map();
    this.extras.set(key.id, value);
  }
}

const tell = (listener: AbortListener): void => {
  if (typeof listener === "function") listener();
  else listener.handleAbort();
};

const noParameters: Readonly<Record<string, string>> = Object.freeze(Object.create(null));

export type Next = (exchange: Exchange) => Promise<GatewayResponse>;
export type Handler = (exchange: Exchange, next: Next) => Promise<GatewayResponse>;

/** The onion: the first handler is the outermost. Composed once, when a snapshot is built. */
export const compose = (handlers: readonly Handler[], last: Next): Next =>
  handlers.reduceRight<Next>((next, handler) => (exchange) => handler(exchange, next), last);

import { channels } from "../core/channels.ts";
import type { Body, Exchange, GatewayResponse } from "../core/exchange.ts";
import type { HeaderList } from "../core/headers.ts";
import type { Balancer, Endpoint, Outcome } from "../core/upstream.ts";
import type { Asking, UnderWay } from "./asking.ts";
import { passInterim } from "./interim-answer.ts";
import type { TimeoutOptions } from "./options.ts";
import type { PoolGroup } from "./pools.ts";
import type { TryControl, TryOnce } from "./try.ts";
import { toOutcome } from "./try-error.ts";

export { UpstreamPools } from "./pools.ts";

export interface TryOptions {
  readonly timeouts: TimeoutOptions;
  /** Segments of the public path that the upstream does not see: the prefix. Not characters: they may come encoded. */
  readonly stripSegments: (path: string) => number;
  /** The upstream sees the client's Host; otherwise its own authority. */
  readonly preserveHost: boolean;
}

const HEADERS_MS = 15_000;
const BODY_IDLE_MS = 30_000;
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The path that the upstream sees. */
export const upstreamTarget = (
  exchange: Exchange,
  endpoint: Endpoint,
  stripSegments: TryOptions["stripSegments"],
): string => {
  const { path, query } = exchange.request;
  const count = stripSegments(path);
  let start = 0;
  for (let i = 0; i < count && start >= 0; i++) start = path.indexOf("/", start + 1);
  const own = endpoint.basePath + (start === 0 ? path : start < 0 ? "/" : path.slice(start));
  return query === "" ? own : `${own}?${query}`;
};

/** The fields that the upstream sees. */
export function upstreamHeaders(exchange: Exchange, preserveHost: boolean): string[] {
  const { headers, authority } = exchange.request;
  const flat = headers.toFlat();
  return preserveHost && authority !== "" ? [...flat, "Host", authority] : flat;
}

/** One try over HTTP: see {@link TryOnce}. */
export function createHttpTry(balancer: Pick<Balancer, "report">, pools: PoolGroup, options: TryOptions): TryOnce {
  const { stripSegments, preserveHost } = options;
  const headersMs = Math.min(MAX_TIMER_MS, options.timeouts.headersMs ?? HEADERS_MS);
  const bodyIdleMs = Math.min(MAX_TIMER_MS, options.timeouts.bodyIdleMs ?? BODY_IDLE_MS);

  return function tryOnce(exchange: Exchange, endpoint: Endpoint, control?: TryControl): Promise<GatewayResponse> {
    return new Promise((resolve, reject) => {
      const target = upstreamTarget(exchange, endpoint, stripSegments);
      const attempt = new Try(exchange, endpoint, balancer, target, resolve, reject);
      attempt.headersMs = headersMs;
      attempt.bodyIdleMs = bodyIdleMs;
      if (preserveHost && exchange.request.authority !== "") attempt.host = exchange.request.authority;
      exchange.onAbort(attempt);
      control?.attach((error) => attempt.cancel(error));
      if (!attempt.isCancelled) pools.of(endpoint.origin).dispatch(attempt);
    });
  };
}

/** One try and what is told of it: a single object, as this is the request path. */
class Try implements Asking {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderList;
  readonly body: Body;
  readonly startedAtMs = performance.now();
  headersMs = HEADERS_MS;
  bodyIdleMs = BODY_IDLE_MS;
  host: string | undefined = undefined;
  underWay: UnderWay | undefined = undefined;
  isCancelled = false;
  private readonly exchange: Exchange;
  private readonly endpoint: Endpoint;
  private readonly balancer: Pick<Balancer, "report">;
  private readonly resolve: (response: GatewayResponse) => void;
  private readonly reject: (error: Error) => void;
  readonly takesTrailers: boolean;
  private status = 0;
  private latencyMs = 0;
  private isOver = false;

  constructor(
    exchange: Exchange,
    endpoint: Endpoint,
    balancer: Pick<Balancer, "report">,
    target: string,
    resolve: (response: GatewayResponse) => void,
    reject: (error: Error) => void,
  ) {
    const { request } = exchange;
    this.method = request.method;
    this.target = target;
    this.headers = request.headers;
    this.body = request.body;
    this.takesTrailers = request.takesTrailers === true;
    this.exchange = exchange;
    this.endpoint = endpoint;
    this.balancer = balancer;
    this.resolve = resolve;
    this.reject = reject;
  }

  get trailers(): HeaderList | undefined {
    return this.exchange.request.trailers;
  }

  /** The client went away: so does the try. */
  handleAbort(): void {
    this.cancel(new Error("the client went away"));
  }

  cancel(error: Error): void {
    if (this.isOver) return;
    if (this.underWay !== undefined) {
      this.underWay.abort(error);
      return;
    }
    this.isCancelled = true;
    this.onFail(error);
  }

  onAnswer(response: GatewayResponse): void {
    this.status = response.status;
    this.latencyMs = performance.now() - this.startedAtMs;
    this.resolve(response);
  }

  onFail(error: Error): void {
    this.finish({ kind: toOutcome(error) });
    this.reject(error);
  }

  onEnd(error: Error | undefined): void {
    if (error === undefined) this.finish({ kind: "response", status: this.status, latencyMs: this.latencyMs });
    else this.finish({ kind: toOutcome(error) });
  }

  onInformation(status: number, headers: HeaderList): void {
    passInterim(this.exchange, status, headers);
  }

  private finish(outcome: Outcome): void {
    if (this.isOver) return;
    this.isOver = true;
    const { exchange, endpoint } = this;
    const told: Outcome = exchange.isAborted && outcome.kind !== "response" ? { kind: "cancelled" } : outcome;
    this.balancer.report(endpoint, told);
    if (channels.upstreamTry.hasSubscribers) channels.upstreamTry.publish({ exchange, endpoint, outcome: told });
  }
}

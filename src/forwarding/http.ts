import { channels } from "../core/channels.ts";
import type { Exchange, GatewayResponse } from "../core/exchange.ts";
import type { Balancer, Endpoint, Outcome } from "../core/upstream.ts";
import type { TimeoutOptions } from "./options.ts";
import type { PoolGroup } from "./pools.ts";
import { ResponseHandler } from "./response-handler.ts";
import type { TryControl, TryOnce } from "./try.ts";
import { toOutcome } from "./try-error.ts";

export { UpstreamPools } from "./pools.ts";

export interface TryOptions {
  readonly timeouts: TimeoutOptions;
  /** Segments of the public path that the upstream does not see: the prefix. Not characters: they may come encoded. */
  readonly stripSegments: number;
  /** The upstream sees the client's Host; otherwise its own authority. */
  readonly preserveHost: boolean;
}

const HEADERS_MS = 15_000;
const BODY_IDLE_MS = 30_000;

/** The path that the upstream sees. */
export const upstreamTarget = (exchange: Exchange, endpoint: Endpoint, stripSegments: number): string => {
  const { path, query } = exchange.request;
  let start = 0;
  for (let i = 0; i < stripSegments && start >= 0; i++) start = path.indexOf("/", start + 1);
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
  const headersTimeout = options.timeouts.headersMs ?? HEADERS_MS;
  const bodyTimeout = options.timeouts.bodyIdleMs ?? BODY_IDLE_MS;

  return function tryOnce(exchange: Exchange, endpoint: Endpoint, control?: TryControl): Promise<GatewayResponse> {
    const { request } = exchange;
    return new Promise((resolve, reject) => {
      const handler = new Try(exchange, endpoint, balancer, resolve, reject);
      exchange.onAbort(handler);
      control?.attach((error) => handler.cancel(error));
      pools.of(endpoint.origin).dispatch(
        {
          method: request.method as "GET",
          path: upstreamTarget(exchange, endpoint, stripSegments),
          headers: upstreamHeaders(exchange, preserveHost),
          body: request.body,
          headersTimeout,
          bodyTimeout,
        },
        handler,
      );
    });
  };
}

/** One try and what is told of it: a single object, as this is the request path. */
class Try extends ResponseHandler {
  private readonly exchange: Exchange;
  private readonly endpoint: Endpoint;
  private readonly balancer: Pick<Balancer, "report">;
  private readonly resolve: (response: GatewayResponse) => void;
  private readonly reject: (error: Error) => void;
  private readonly startedAtMs = performance.now();
  private latencyMs = 0;

  constructor(
    exchange: Exchange,
    endpoint: Endpoint,
    balancer: Pick<Balancer, "report">,
    resolve: (response: GatewayResponse) => void,
    reject: (error: Error) => void,
  ) {
    super(exchange.request.method === "HEAD");
    this.exchange = exchange;
    this.endpoint = endpoint;
    this.balancer = balancer;
    this.resolve = resolve;
    this.reject = reject;
  }

  /** The client went away: so does the try. */
  handleAbort(): void {
    this.cancel(new Error("the client went away"));
  }

  protected override onAnswer(response: GatewayResponse): void {
    this.latencyMs = performance.now() - this.startedAtMs;
    this.resolve(response);
  }

  protected override onFail(error: Error): void {
    this.finish({ kind: toOutcome(error) });
    this.reject(error);
  }

  protected override onEnd(error: Error | undefined): void {
    if (error === undefined) this.finish({ kind: "response", status: this.status, latencyMs: this.latencyMs });
    else this.finish({ kind: toOutcome(error) });
  }

  protected override onInformation(status: number, headers: Record<string, string | string[]>): void {
    const { outgoing, request } = this.exchange;
    if (status !== 103 || outgoing === undefined || outgoing.headersSent || request.httpVersion === "1.0") return;
    try {
      outgoing.writeEarlyHints(headers);
    } catch {
      // Node takes only well-formed Link values; a hint that is not one is no loss.
    }
  }

  private finish(outcome: Outcome): void {
    const { exchange, endpoint } = this;
    const told: Outcome = exchange.isAborted && outcome.kind !== "response" ? { kind: "cancelled" } : outcome;
    this.balancer.report(endpoint, told);
    if (channels.upstreamTry.hasSubscribers) channels.upstreamTry.publish({ exchange, endpoint, outcome: told });
  }
}

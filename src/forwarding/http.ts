import { Pool } from "undici";
import { channels } from "../core/channels.ts";
import type { Exchange, GatewayResponse } from "../core/exchange.ts";
import type { Balancer, Endpoint, Outcome } from "../core/upstream.ts";
import type { TimeoutOptions } from "./options.ts";
import { ResponseHandler } from "./response-handler.ts";
import type { TryControl, TryOnce } from "./try.ts";
import { toOutcome } from "./try-error.ts";

export interface TryOptions {
  readonly timeouts: TimeoutOptions;
  /** Characters of the public path that the upstream does not see: the prefix. */
  readonly stripLength: number;
}

/** Connections to upstreams: one undici pool an origin, shared by every route and every snapshot. */
export class UpstreamPools {
  private readonly pools = new Map<string, Pool>();

  of(origin: string, timeouts: TimeoutOptions): Pool {
    const key = `${origin} ${timeouts.connectMs}`;
    let pool = this.pools.get(key);
    if (pool === undefined) {
      pool = new Pool(origin, {
        connections: 256,
        pipelining: 1,
        connect: { timeout: timeouts.connectMs ?? 1_000 },
        headersTimeout: timeouts.headersMs ?? 15_000,
        bodyTimeout: timeouts.bodyIdleMs ?? 30_000,
        maxHeaderSize: 65_536,
      });
      this.pools.set(key, pool);
    }
    return pool;
  }

  async close(): Promise<void> {
    await Promise.all([...this.pools.values()].map((pool) => pool.destroy()));
    this.pools.clear();
  }
}

/** One try over HTTP: see {@link TryOnce}. */
export function createHttpTry(balancer: Pick<Balancer, "report">, pools: UpstreamPools, options: TryOptions): TryOnce {
  return function tryOnce(exchange: Exchange, endpoint: Endpoint, control?: TryControl): Promise<GatewayResponse> {
    const { request } = exchange;
    const startedAtMs = performance.now();
    return new Promise((resolve, reject) => {
      const finish = (outcome: Outcome): void => {
        balancer.report(endpoint, outcome);
        if (channels.upstreamTry.hasSubscribers) channels.upstreamTry.publish({ exchange, endpoint, outcome });
      };
      let status = 0;
      let latencyMs = 0;
      const handler = new ResponseHandler(
        {
          answer(response) {
            status = response.status;
            latencyMs = performance.now() - startedAtMs;
            resolve(response);
          },
          fail(error) {
            finish(exchange.isAborted ? { kind: "cancelled" } : { kind: toOutcome(error) });
            reject(error);
          },
          end(error) {
            if (error === undefined) finish({ kind: "response", status, latencyMs });
            else finish(exchange.isAborted ? { kind: "cancelled" } : { kind: "reset" });
          },
        },
        request.method === "HEAD",
      );
      exchange.onAbort(() => handler.cancel(new Error("the client went away")));
      control?.attach((error) => handler.cancel(error));
      const path = endpoint.basePath + (request.path.slice(options.stripLength) || "/");
      pools.of(endpoint.origin, options.timeouts).dispatch(
        {
          method: request.method as "GET",
          path: request.query === "" ? path : `${path}?${request.query}`,
          headers: request.headers.toFlat(),
          body: request.body,
        },
        handler,
      );
    });
  };
}

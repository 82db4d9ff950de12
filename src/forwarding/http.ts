import { errors, Pool } from "undici";
import { isStream } from "../core/body.ts";
import { channels } from "../core/channels.ts";
import { type ErrorCode, GatewayError } from "../core/errors.ts";
import type { Exchange, GatewayResponse, Next } from "../core/exchange.ts";
import type { Endpoint, Outcome } from "../core/upstream.ts";
import type { RetryOptions, TimeoutOptions } from "./options.ts";
import { ResponseHandler } from "./response-handler.ts";

/** What forwarding needs of balancing. */
export interface Balancer {
  pick(exchange: Exchange, tried: readonly Endpoint[]): Endpoint | undefined;
  report(endpoint: Endpoint, outcome: Outcome): void;
}

export interface ForwarderOptions {
  readonly timeouts: TimeoutOptions;
  readonly retries: RetryOptions;
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

const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "QUERY"]);

/** Asks an instance, and another one where that is safe. */
export function createForwarder(balancer: Balancer, pools: UpstreamPools, options: ForwarderOptions): Next {
  const attempts = options.retries.attempts ?? 2;

  return async function forward(exchange) {
    const tried: Endpoint[] = [];
    for (;;) {
      const endpoint = balancer.pick(exchange, tried);
      if (endpoint === undefined && tried.length === 0) {
        throw new GatewayError("NO_INSTANCE", "no instance of the service can take this request; is one registered?");
      }
      const target = endpoint ?? (tried[tried.length - 1] as Endpoint);
      exchange.endpoint = target;
      exchange.attempts++;
      try {
        return await tryOnce(exchange, target);
      } catch (error) {
        tried.push(target);
        if (tried.length > attempts || exchange.isAborted || !canRetry(exchange, error as Error))
          throw toGatewayError(error as Error);
      }
    }
  };

  function tryOnce(exchange: Exchange, endpoint: Endpoint): Promise<GatewayResponse> {
    const { request } = exchange;
    const startedAtMs = performance.now();
    endpoint.inFlight++;
    return new Promise((resolve, reject) => {
      const finish = (outcome: Outcome): void => {
        endpoint.inFlight--;
        balancer.report(endpoint, outcome);
        if (channels.upstreamTry.hasSubscribers) channels.upstreamTry.publish({ exchange, endpoint, outcome });
      };
      let status = 0;
      const handler = new ResponseHandler(
        {
          answer(response) {
            status = response.status;
            resolve(response);
          },
          fail(error) {
            finish(exchange.isAborted ? { kind: "cancelled" } : { kind: toOutcome(error) });
            reject(error);
          },
          end(error) {
            if (error === undefined) finish({ kind: "response", status, latencyMs: performance.now() - startedAtMs });
            else finish(exchange.isAborted ? { kind: "cancelled" } : { kind: "reset" });
          },
        },
        request.method === "HEAD",
      );
      exchange.onAbort(() => handler.cancel(new Error("the client went away")));
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
  }
}

function canRetry(exchange: Exchange, error: Error): boolean {
  if (isStream(exchange.request.body)) return isBeforeFirstByte(error) && !exchange.request.body.readableDidRead;
  return IDEMPOTENT.has(exchange.request.method) || isBeforeFirstByte(error);
}

const CONNECT_FAILURES = new Set(["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "ENETUNREACH", "EAI_AGAIN"]);
const codeOf = (error: Error): string => String((error as NodeJS.ErrnoException).code ?? "");
const isBeforeFirstByte = (error: Error): boolean =>
  error instanceof errors.ConnectTimeoutError || CONNECT_FAILURES.has(codeOf(error));

function toOutcome(error: Error): "connect-failed" | "timeout" | "reset" | "malformed" {
  if (isBeforeFirstByte(error)) return "connect-failed";
  if (error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError) return "timeout";
  return codeOf(error).startsWith("HPE_") ? "malformed" : "reset";
}

function toGatewayError(error: Error): GatewayError {
  if (error instanceof GatewayError) return error;
  const [code, detail] = describe(error);
  return new GatewayError(code, detail, { cause: error });
}

function describe(error: Error): [ErrorCode, string] {
  if (error instanceof errors.ConnectTimeoutError) return ["UPSTREAM_CONNECT_TIMEOUT", "no connection in time"];
  if (CONNECT_FAILURES.has(codeOf(error))) return ["UPSTREAM_UNREACHABLE", "no connection to an instance"];
  if (error instanceof errors.HeadersTimeoutError) return ["UPSTREAM_TIMEOUT", "no headers in time"];
  if (codeOf(error).startsWith("HPE_") || error instanceof errors.HeadersOverflowError) {
    return ["UPSTREAM_MALFORMED", "the answer could not be parsed"];
  }
  return ["UPSTREAM_ABORTED", "the connection broke before the answer was complete"];
}

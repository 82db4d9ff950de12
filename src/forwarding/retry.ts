import { isStream } from "../core/body.ts";
import { GatewayError } from "../core/errors.ts";
import type { Exchange, GatewayResponse, Next } from "../core/exchange.ts";
import type { Balancer, Endpoint } from "../core/upstream.ts";
import type { RetryOptions } from "./options.ts";
import { isBeforeFirstByte, toGatewayError } from "./try-error.ts";

/**
 * One try at one instance: resolves with its answer, whatever its status; rejects when there is none.
 * It reports to the balancer exactly once for each endpoint it was given, when the answer's body is over.
 */
export type TryOnce = (exchange: Exchange, endpoint: Endpoint) => Promise<GatewayResponse>;

const NONE: readonly Endpoint[] = [];
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "QUERY"]);

/** Asks an instance, and another one where that is safe. */
export function createRetrying(balancer: Balancer, tryOnce: TryOnce, options: RetryOptions): Next {
  const attempts = options.attempts ?? 2;

  return async function forward(exchange) {
    const tried: Endpoint[] = [];
    for (;;) {
      const target = balancer.pick(exchange, tried) ?? balancer.pick(exchange, NONE);
      if (target === undefined) {
        throw new GatewayError("NO_INSTANCE", "no instance of the service can take this request; is one registered?");
      }
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
}

function canRetry(exchange: Exchange, error: Error): boolean {
  if (isStream(exchange.request.body)) return isBeforeFirstByte(error) && !exchange.request.body.readableDidRead;
  return IDEMPOTENT.has(exchange.request.method) || isBeforeFirstByte(error);
}

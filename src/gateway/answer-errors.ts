import { channels } from "../core/channels.ts";
import { GatewayError } from "../core/errors.ts";
import type { Exchange, GatewayResponse } from "../core/exchange.ts";
import { toProblem } from "../core/problem.ts";
import { hookStep } from "../pipeline/order.ts";

/** What was thrown as the answer that the client gets; what is ours to mend is published with its cause. */
export function toAnswer(error: unknown, exchange: Exchange): GatewayResponse {
  exchange.errorCode = error instanceof GatewayError ? error.code : "INTERNAL";
  const response = toProblem(error, exchange.id);
  // Set once the request has come as far as the cache: it is on every answer from there (RFC 9211).
  if (exchange.cacheStatus !== undefined) response.headers.append("Cache-Status", exchange.cacheStatus);
  if (response.status >= 500 && channels.fault.hasSubscribers) channels.fault.publish({ exchange, error });
  return response;
}

/**
 * Stands innermost of the `observe` phase, so that its plugins see every answer: a page may only read a refusal
 * that carries the CORS fields, too.
 */
export const answerErrors = hookStep("observe", { name: "answer-errors", hooks: {}, onError: toAnswer });

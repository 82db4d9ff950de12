import type { IncomingMessage, ServerResponse } from "node:http";
import { channels } from "../core/channels.ts";
import { ERRORS, GatewayError } from "../core/errors.ts";
import type { Exchange, GatewayResponse } from "../core/exchange.ts";
import { toProblem } from "../core/problem.ts";
import { hookStep } from "../pipeline/order.ts";
import { isHttp2 } from "./http2.ts";

/** What was thrown as the answer that the client gets; what is ours to mend is published with its cause. */
export function toAnswer(error: unknown, exchange: Exchange): GatewayResponse {
  // Reflect: a plugin may have frozen the exchange, and its client is answered all the same.
  Reflect.set(exchange, "errorCode", error instanceof GatewayError ? error.code : "INTERNAL");
  const response = toProblem(error, exchange.id);
  // Set once the request has come as far as the cache: it is on every answer from there (RFC 9211).
  if (exchange.cacheStatus !== undefined) response.headers.append("Cache-Status", exchange.cacheStatus);
  if (response.status >= 500 && channels.fault.hasSubscribers && !isClients(error, exchange)) {
    channels.fault.publish({ exchange, error });
  }
  return response;
}

/**
 * A method that there is not, another version: some mistakes of clients are a 5xx by RFC 9110. And what broke off because its client
 * went away, or sent nonsense in the middle of its body, is nobody's to mend.
 */
const isClients = (error: unknown, exchange: Exchange): boolean =>
  error instanceof GatewayError &&
  (ERRORS[error.code].source === "client" || (exchange.isClientGone && error.code === "UPSTREAM_ABORTED"));

/**
 * The last answer there is, of nothing but Node's own objects: a plugin has left an exchange that nobody can read.
 * @returns its status
 */
export function answerBroken(incoming: IncomingMessage, outgoing: ServerResponse, requestId: string): number {
  const error = new GatewayError("PLUGIN_FAILED", "a plugin broke the exchange; the log says why");
  const { status, headers, body } = toProblem(error, requestId);
  if (!isHttp2(incoming)) headers.set("Connection", "close");
  try {
    outgoing.writeHead(status, headers.toFlat());
    outgoing.end(body);
  } catch {
    outgoing.destroy();
  }
  return status;
}

/**
 * Stands innermost of the `observe` phase, so that its plugins see every answer: a page may only read a refusal
 * that carries the CORS fields, too.
 */
export const answerErrors = hookStep("observe", { name: "answer-errors", hooks: {}, onError: toAnswer });

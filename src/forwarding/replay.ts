import { isStream } from "../core/body.ts";
import type { Exchange, GatewayResponse } from "../core/exchange.ts";

/** RFC 9110 §9.2.2, and QUERY (safe by its definition). */
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "QUERY"]);

/** True when sending it twice does what sending it once does, and there is a second copy to send. */
export const isReplayable = (exchange: Exchange): boolean =>
  IDEMPOTENT.has(exchange.request.method) && !isStream(exchange.request.body);

/** True when its body has not been touched: it can be sent where nothing of it has been sent yet. */
export const isUnsent = (exchange: Exchange): boolean =>
  !isStream(exchange.request.body) || !exchange.request.body.readableDidRead;

/** Lets go of an answer that nobody will get. */
export function discard(response: GatewayResponse): void {
  if (isStream(response.body)) response.body.destroy();
}

import { isStream, readWhole, WHOLE_BODY_BYTES } from "../core/body.ts";
import type { Handler } from "../core/exchange.ts";

/**
 * Waits for a short body before an instance is asked: a client that trickles it holds its own connection, and none of
 * the few to the instance. What is whole can also be sent again. ATTACKS 45.
 */
export const readSmallBody: Handler = function readSmallBody(exchange, next) {
  const { request } = exchange;
  if (!isStream(request.body)) return next(exchange);
  const length = request.headers.get("content-length");
  if (length === undefined || Number(length) > WHOLE_BODY_BYTES) return next(exchange);
  return readWhole(request.body, WHOLE_BODY_BYTES).then((body) => {
    request.body = body;
    return next(exchange);
  });
};

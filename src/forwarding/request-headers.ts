import type { Handler } from "../core/exchange.ts";

/** Writes the fields that only the gateway may set, over whatever a client sent. ATTACKS 17. */
export const setForwardedHeaders: Handler = async function setForwardedHeaders(exchange, next) {
  const { request, client } = exchange;
  const { headers } = request;
  headers.set("X-Forwarded-For", client.peer);
  headers.set("X-Forwarded-Proto", request.scheme);
  headers.set("X-Forwarded-Host", request.authority);
  headers.append("Via", `${request.httpVersion} portico`);
  return next(exchange);
};

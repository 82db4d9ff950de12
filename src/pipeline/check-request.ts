import { GatewayError } from "../core/errors.ts";
import type { Exchange, GatewayRequest } from "../core/exchange.ts";
import { isBody } from "./check-response.ts";

/**
 * What a plugin leaves behind of a request, where it hands it on: what cannot be sent to a service, or what nothing
 * further in could work with, is the fault of this plugin and of none of those.
 * @throws GatewayError PLUGIN_FAILED that says what is wrong with it; TypeError when the exchange is frozen
 */
export function checkRequest(plugin: string, exchange: Exchange): void {
  // Throws where it is frozen. To ask Object.isFrozen costs ten times as much, for each plugin and request.
  exchange.attempts += 0;
  const problem = findProblem(exchange.request);
  if (problem !== undefined) throw new GatewayError("PLUGIN_FAILED", `${plugin} ${problem}`);
}

function findProblem(request: Partial<GatewayRequest> | null | undefined): string | undefined {
  // By what it can do: the plugin may have another copy of the class.
  const headers = request?.headers;
  if (typeof headers?.findUnsafe !== "function") return "left no request with a HeaderList behind";
  const { method, path, query, body } = request as GatewayRequest;
  if (typeof method !== "string" || typeof path !== "string" || typeof query !== "string") {
    return "gave the request a method, path or query that is no text";
  }
  if (!isBody(body)) return "gave the request a body that cannot be sent; write null, a Buffer or a Readable";
  // The service would get less than the client sent.
  if ((body as { readableEnded?: unknown } | null)?.readableEnded === true) {
    return "read the body and left none in its place; write what readWhole gives to request.body";
  }
  const unsafe = headers.findUnsafe();
  return unsafe === undefined ? undefined : `set the field ${JSON.stringify(unsafe)} to what cannot be sent`;
}

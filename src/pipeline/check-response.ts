import { GatewayError } from "../core/errors.ts";
import type { GatewayResponse } from "../core/exchange.ts";

/**
 * What a plugin answers, or leaves behind of an answer: held to its type here, as a plugin in JavaScript may not be, and
 * what cannot be sent would leave the client waiting.
 * @throws GatewayError PLUGIN_FAILED that says what is wrong with it
 */
export function checkResponse(plugin: string, response: GatewayResponse): GatewayResponse {
  const problem = findProblem(response);
  if (problem === undefined) return response;
  throw new GatewayError("PLUGIN_FAILED", `${plugin} ${problem}`);
}

function findProblem(response: unknown): string | undefined {
  if (typeof response !== "object" || response === null || !("status" in response)) {
    return "returned no response; return next(exchange)";
  }
  const { status, headers, body, trailers } = response as Partial<GatewayResponse>;
  if (!Number.isInteger(status) || (status as number) > 999 || ((status as number) < 200 && status !== 101)) {
    return "gave a status that is none; write 200 to 599";
  }
  // By what it can do: the plugin may have another copy of the class.
  if (typeof headers !== "object" || headers === null || typeof headers.append !== "function") {
    return "gave headers that are no HeaderList; write new HeaderList()";
  }
  const unsafe = headers.findUnsafe?.() ?? trailers?.findUnsafe?.();
  if (unsafe !== undefined) return `set the field ${JSON.stringify(unsafe)} to what cannot be sent`;
  return isBody(body) ? undefined : "gave a body that cannot be sent; write null, a Buffer or a Readable";
}

export const isBody = (body: unknown): boolean =>
  body === null ||
  Buffer.isBuffer(body) ||
  (typeof body === "object" && typeof (body as { pipe?: unknown }).pipe === "function");

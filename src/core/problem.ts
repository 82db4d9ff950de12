import { ERRORS, GatewayError } from "./errors.ts";
import type { GatewayResponse } from "./exchange.ts";
import { HeaderList } from "./headers.ts";

/** Where each code is explained. Relative, so that it holds behind any host (RFC 9457 §3.1.1). */
const typeOf = (code: string): string => `https://portico.dev/errors#${code.toLowerCase()}`;

/**
 * Any thrown value as an `application/problem+json` answer (RFC 9457).
 * What is not a GatewayError is a fault of ours and says nothing of itself to the client.
 * @param requestId stands in the document so that a person can find the log line
 */
export function toProblem(error: unknown, requestId: string): GatewayResponse {
  const known =
    error instanceof GatewayError ? error : new GatewayError("INTERNAL", "the log says why", { cause: error });
  const document = {
    type: typeOf(known.code),
    title: ERRORS[known.code].title,
    status: known.status,
    code: known.code,
    detail: known.message,
    requestId,
    ...known.extensions,
  };
  const body = Buffer.from(JSON.stringify(document));
  const headers = new HeaderList(["Content-Type", "application/problem+json", "Cache-Control", "no-store"]);
  for (const [name, value] of Object.entries(known.headers ?? {})) {
    for (const line of typeof value === "string" ? [value] : value) headers.append(name, line);
  }
  headers.set("Content-Length", String(body.length));
  return { status: known.status, headers, body };
}

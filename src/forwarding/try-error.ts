import { errors } from "undici";
import { type ErrorCode, GatewayError } from "../core/errors.ts";

/** What undici's errors mean: for the balancer, for the decision to try again, and for the client. */

/** A try that the gateway itself ended: another one answered first, or the time for all of them is over. */
export class TryEnded extends Error {
  readonly kind: "cancelled" | "timeout";

  constructor(kind: "cancelled" | "timeout", message: string) {
    super(message);
    this.name = "TryEnded";
    this.kind = kind;
  }
}

const CONNECT_FAILURES = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EAI_AGAIN",
  "EADDRNOTAVAIL",
  "EACCES",
]);
const codeOf = (error: Error): string => String((error as NodeJS.ErrnoException).code ?? "");
const isTlsFailure = (code: string): boolean =>
  code.startsWith("ERR_TLS_") || code.startsWith("ERR_SSL_") || code.includes("CERT") || code.includes("UNABLE_TO_");

/** True when no byte of the request can have reached the upstream: any method may be tried again. */
export const isBeforeFirstByte = (error: Error): boolean =>
  error instanceof errors.ConnectTimeoutError || CONNECT_FAILURES.has(codeOf(error)) || isTlsFailure(codeOf(error));

const isMalformed = (error: Error): boolean =>
  codeOf(error).startsWith("HPE_") ||
  error instanceof errors.HeadersOverflowError ||
  error instanceof errors.ResponseContentLengthMismatchError ||
  (error instanceof errors.SocketError && (error.message === "bad response" || error.message === "bad upgrade")) ||
  (error instanceof GatewayError && error.code === "UPSTREAM_MALFORMED");

export function toOutcome(error: Error): "connect-failed" | "timeout" | "reset" | "malformed" | "cancelled" {
  if (error instanceof TryEnded) return error.kind;
  if (isBeforeFirstByte(error)) return "connect-failed";
  if (error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError) return "timeout";
  return isMalformed(error) ? "malformed" : "reset";
}

export function toGatewayError(error: Error): GatewayError {
  if (error instanceof GatewayError && error.code !== "UPSTREAM_MALFORMED") return error;
  const [code, detail, reason] = describe(error);
  return new GatewayError(code, detail, { cause: error, headers: { "Proxy-Status": `portico; error=${reason}` } });
}

/** @returns code, detail, and the error type of RFC 9209 §2.3 */
function describe(error: Error): [ErrorCode, string, string] {
  const code = codeOf(error);
  if (error instanceof errors.ConnectTimeoutError)
    return ["UPSTREAM_CONNECT_TIMEOUT", "no connection in time", "connection_timeout"];
  if (isTlsFailure(code)) return ["UPSTREAM_UNREACHABLE", "no TLS connection to an instance", "tls_certificate_error"];
  if (code === "ENOTFOUND" || code === "EAI_AGAIN")
    return ["UPSTREAM_UNREACHABLE", "the name of an instance is not known", "dns_error"];
  if (CONNECT_FAILURES.has(code))
    return [
      "UPSTREAM_UNREACHABLE",
      "no connection to an instance",
      code === "ECONNREFUSED" ? "connection_refused" : "destination_ip_unroutable",
    ];
  if (error instanceof TryEnded) return ["UPSTREAM_TIMEOUT", error.message, "http_response_timeout"];
  if (error instanceof errors.HeadersTimeoutError)
    return ["UPSTREAM_TIMEOUT", "no headers in time", "http_response_timeout"];
  if (error instanceof errors.BodyTimeoutError)
    return ["UPSTREAM_BODY_TIMEOUT", "the body stopped coming", "http_response_timeout"];
  if (error instanceof errors.HeadersOverflowError)
    return ["UPSTREAM_MALFORMED", "the header section is too large", "http_response_header_section_size"];
  if (isMalformed(error)) return ["UPSTREAM_MALFORMED", "the answer could not be parsed", "http_protocol_error"];
  return ["UPSTREAM_ABORTED", "the connection broke before the answer was complete", "connection_terminated"];
}

import { ERRORS, type ErrorCode, GatewayError } from "../core/errors.ts";
import { UpstreamError, type UpstreamFault } from "./upstream-error.ts";

/** What the errors of the clients mean: for the balancer, for the decision to try again, and for the client. */

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
const codeOf = (error: Error): string => {
  const { code } = (error instanceof UpstreamError ? (error.cause ?? error) : error) as NodeJS.ErrnoException;
  return String(code ?? "");
};
const faultOf = (error: Error): UpstreamFault | undefined => (error instanceof UpstreamError ? error.fault : undefined);
const isConnectTimeout = (error: Error): boolean => faultOf(error) === "connect-timeout";
const isHeadersTimeout = (error: Error): boolean => faultOf(error) === "headers-timeout";
const isBodyTimeout = (error: Error): boolean => faultOf(error) === "body-timeout";
const isOverflow = (error: Error): boolean => faultOf(error) === "headers-too-large";
const isTlsFailure = (code: string): boolean =>
  code.startsWith("ERR_TLS_") || code.startsWith("ERR_SSL_") || code.includes("CERT") || code.includes("UNABLE_TO_");

/** True when nothing of the request can have been done by the upstream: any method may be tried again (RFC 9113 §8.7). */
export const isUndone = (error: Error): boolean =>
  isConnectTimeout(error) ||
  faultOf(error) === "unreachable" ||
  faultOf(error) === "unprocessed" ||
  (error instanceof GatewayError && error.code === "UPSTREAM_BUSY") ||
  CONNECT_FAILURES.has(codeOf(error)) ||
  isTlsFailure(codeOf(error));

const isMalformed = (error: Error): boolean =>
  faultOf(error) === "malformed" || isOverflow(error) || codeOf(error).startsWith("HPE_");

/** A body that its client broke off, a cap of the gateway's own: the instance is not to blame. */
const isNoWordOfTheInstance = ({ code }: GatewayError): boolean =>
  ERRORS[code].source !== "upstream" || code === "UPSTREAM_BUSY";

export function toOutcome(error: Error): "connect-failed" | "timeout" | "reset" | "malformed" | "cancelled" {
  if (error instanceof TryEnded) return error.kind;
  if (error instanceof GatewayError && isNoWordOfTheInstance(error)) return "cancelled";
  if (isUndone(error)) return "connect-failed";
  if (isHeadersTimeout(error) || isBodyTimeout(error)) return "timeout";
  return isMalformed(error) ? "malformed" : "reset";
}

export function toGatewayError(error: Error): GatewayError {
  if (error instanceof GatewayError) return error;
  const [code, detail, reason] = describe(error);
  return new GatewayError(code, detail, { cause: error, headers: { "Proxy-Status": `portico; error=${reason}` } });
}

/** @returns code, detail, and the error type of RFC 9209 §2.3 */
function describe(error: Error): [ErrorCode, string, string] {
  const code = codeOf(error);
  if (isConnectTimeout(error)) return ["UPSTREAM_CONNECT_TIMEOUT", "no connection in time", "connection_timeout"];
  if (isTlsFailure(code)) return ["UPSTREAM_UNREACHABLE", "no TLS connection to an instance", "tls_certificate_error"];
  if (code === "ENOTFOUND" || code === "EAI_AGAIN")
    return ["UPSTREAM_UNREACHABLE", "the name of an instance is not known", "dns_error"];
  if (CONNECT_FAILURES.has(code))
    return [
      "UPSTREAM_UNREACHABLE",
      "no connection to an instance",
      code === "ECONNREFUSED" ? "connection_refused" : "destination_ip_unroutable",
    ];
  if (faultOf(error) === "unreachable")
    return ["UPSTREAM_UNREACHABLE", "no connection to an instance", "connection_terminated"];
  if (error instanceof TryEnded) return ["UPSTREAM_TIMEOUT", error.message, "http_response_timeout"];
  if (isHeadersTimeout(error)) return ["UPSTREAM_TIMEOUT", "no headers in time", "http_response_timeout"];
  if (isBodyTimeout(error)) return ["UPSTREAM_BODY_TIMEOUT", "the body stopped coming", "http_response_timeout"];
  if (isOverflow(error))
    return ["UPSTREAM_MALFORMED", "the header section is too large", "http_response_header_section_size"];
  if (isMalformed(error)) return ["UPSTREAM_MALFORMED", "the answer could not be parsed", "http_protocol_error"];
  return ["UPSTREAM_ABORTED", "the connection broke before the answer was complete", "connection_terminated"];
}

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

const CONNECT_FAILURES = new Set(["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "ENETUNREACH", "EAI_AGAIN"]);
const codeOf = (error: Error): string => String((error as NodeJS.ErrnoException).code ?? "");

/** True when no byte of the request can have reached the upstream: any method may be tried again. */
export const isBeforeFirstByte = (error: Error): boolean =>
  error instanceof errors.ConnectTimeoutError || CONNECT_FAILURES.has(codeOf(error));

export function toOutcome(error: Error): "connect-failed" | "timeout" | "reset" | "malformed" | "cancelled" {
  if (error instanceof TryEnded) return error.kind;
  if (isBeforeFirstByte(error)) return "connect-failed";
  if (error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError) return "timeout";
  return codeOf(error).startsWith("HPE_") ? "malformed" : "reset";
}

export function toGatewayError(error: Error): GatewayError {
  if (error instanceof GatewayError) return error;
  const [code, detail] = describe(error);
  return new GatewayError(code, detail, { cause: error });
}

function describe(error: Error): [ErrorCode, string] {
  if (error instanceof errors.ConnectTimeoutError) return ["UPSTREAM_CONNECT_TIMEOUT", "no connection in time"];
  if (CONNECT_FAILURES.has(codeOf(error))) return ["UPSTREAM_UNREACHABLE", "no connection to an instance"];
  if (error instanceof TryEnded) return ["UPSTREAM_TIMEOUT", error.message];
  if (error instanceof errors.HeadersTimeoutError) return ["UPSTREAM_TIMEOUT", "no headers in time"];
  if (codeOf(error).startsWith("HPE_") || error instanceof errors.HeadersOverflowError) {
    return ["UPSTREAM_MALFORMED", "the answer could not be parsed"];
  }
  return ["UPSTREAM_ABORTED", "the connection broke before the answer was complete"];
}

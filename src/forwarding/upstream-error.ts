import { GatewayError } from "../core/errors.ts";

/** Why there is no answer, or not the whole of it. */
export type UpstreamFault =
  | "connect-timeout"
  | "unreachable"
  /** It was sent, and the upstream says that it has done nothing with it. */
  | "unprocessed"
  | "headers-timeout"
  | "body-timeout"
  | "headers-too-large"
  | "malformed"
  | "broken";

/** What the clients say of an upstream. `cause` is the socket's own error, where there is one. */
export class UpstreamError extends Error {
  readonly fault: UpstreamFault;

  constructor(fault: UpstreamFault, message: string, cause?: Error) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "UpstreamError";
    this.fault = fault;
  }
}

export const malformed = (message: string): UpstreamError => new UpstreamError("malformed", message);

/** Of a connection that did not come about. */
export const asUnreachable = (error: Error): Error =>
  error instanceof GatewayError ? error : new UpstreamError("unreachable", error.message, error);

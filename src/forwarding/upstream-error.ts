/** Why there is no answer, or not the whole of it. */
export type UpstreamFault =
  | "connect-timeout"
  | "unreachable"
  | "headers-timeout"
  | "body-timeout"
  | "headers-too-large"
  | "malformed"
  | "broken";

/** What the client for HTTP/1.1 says of an upstream. `cause` is the socket's own error, where there is one. */
export class UpstreamError extends Error {
  readonly fault: UpstreamFault;

  constructor(fault: UpstreamFault, message: string, cause?: Error) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "UpstreamError";
    this.fault = fault;
  }
}

export const malformed = (message: string): UpstreamError => new UpstreamError("malformed", message);

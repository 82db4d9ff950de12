import type { Body, GatewayResponse } from "../core/exchange.ts";
import type { HeaderList } from "../core/headers.ts";

/** What is under way for somebody who asks, and can be broken off. */
export interface UnderWay {
  abort(error: Error): void;
}

/**
 * A request to an upstream and who is told of its answer: of interim answers, then of exactly one of `onAnswer` and
 * `onFail`; after `onAnswer`, `onEnd` once its body is over.
 */
export interface Asking {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderList;
  /** Instead of the instance's own. */
  readonly host: string | undefined;
  readonly body: Body;
  /** Fields after a body whose length was not told, known once it has ended. */
  readonly trailers: HeaderList | undefined;
  /** The client has said that it does something with the answer's trailers. */
  readonly takesTrailers: boolean;
  readonly headersMs: number;
  readonly bodyIdleMs: number;
  /** Of the monotonic clock. */
  readonly startedAtMs: number;
  /** Set by the client, for as long as it can be broken off. */
  underWay: UnderWay | undefined;
  /** It was broken off while it waited for a connection. */
  readonly isCancelled: boolean;
  onInformation(status: number, headers: HeaderList): void;
  onAnswer(response: GatewayResponse): void;
  onFail(error: Error): void;
  onEnd(error: Error | undefined): void;
}

import type { Exchange } from "./exchange.ts";

/** One address of a service, as a discovery source tells it. */
export interface Instance {
  /** Unique within its service. */
  readonly id: string;
  /** Origin, with the path under which the service answers if it has one: `http://10.0.0.7:9000/base`. */
  readonly url: string;
  /** Relative share of the work; 0 takes none. Default 1. */
  readonly weight: number;
  readonly zone?: string | undefined;
  readonly version?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly status: "up" | "draining" | "down";
  /** The registry no longer hears of it and keeps it all the same: to be used only where it is found alive. */
  readonly unconfirmed?: boolean | undefined;
}

/** An instance as the gateway uses it: what has been seen of it, kept across updates from discovery. */
export interface Endpoint {
  readonly service: string;
  instance: Instance;
  /** `http:` or `https:` origin without a path. */
  readonly origin: string;
  /** Path prefix, without a trailing slash; empty when there is none. */
  readonly basePath: string;
  /** Requests sent and not yet answered in full. */
  inFlight: number;
}

/** What became of one try. */
export type Outcome =
  | { readonly kind: "response"; readonly status: number; readonly latencyMs: number }
  | { readonly kind: "connect-failed" | "timeout" | "reset" | "malformed" }
  /** The client went away: says nothing about the endpoint. */
  | { readonly kind: "cancelled" };

/** What forwarding needs of balancing. */
export interface Balancer {
  /**
   * Takes an instance for one try and counts it as in flight: each pick is followed by exactly one report.
   * @param tried are passed over
   * @returns undefined when every instance that could take work has been tried
   * @throws GatewayError NO_INSTANCE, CIRCUIT_OPEN, UPSTREAM_BUSY
   */
  pick(exchange: Exchange, tried: readonly Endpoint[]): Endpoint | undefined;
  report(endpoint: Endpoint, outcome: Outcome): void;
  /** Asks for one retry within the budget. @param share of the requests, 0 to 1 */
  takeRetry(share: number): boolean;
  /** The instance asked not to be asked for so long (`Retry-After`). */
  rest(endpoint: Endpoint, restMs: number): void;
}

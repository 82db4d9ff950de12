import type { Exchange, GatewayResponse, Handler } from "../core/exchange.ts";
import { PHASES, type Phase } from "./contract.ts";

export type Preflight = (exchange: Exchange, methods: readonly string[]) => GatewayResponse | undefined;

/** One layer of an operation's stack. */
export interface Step {
  readonly phase: Phase;
  /** What `portico explain` calls it. */
  readonly name: string;
  readonly handler: Handler;
  /** Answers a CORS preflight for the operation. */
  readonly preflight?: Preflight | undefined;
  /** Request fields that only it may set, lower case. */
  readonly identityHeaders?: readonly string[];
}

/** By phase; within a phase as given: the gateway's, the route's, the operation's. */
export const inOrder = (steps: readonly Step[]): Step[] =>
  PHASES.flatMap((phase) => steps.filter((step) => step.phase === phase));

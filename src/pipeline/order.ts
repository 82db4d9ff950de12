import type { Exchange, GatewayResponse, Handler } from "../core/exchange.ts";
import { PHASES, type Phase } from "./contract.ts";
import { runHooks, type StepHooks } from "./hooks.ts";

export type Preflight = (exchange: Exchange, methods: readonly string[]) => GatewayResponse | undefined;

/** One layer of an operation's stack. */
export interface Step {
  readonly phase: Phase;
  /** What `portico explain` calls it. */
  readonly name: string;
  readonly handler: Handler;
  /** What `handler` runs, where that is nothing but hooks: a row of them is joined. */
  readonly hooks?: StepHooks | undefined;
  /** Answers a CORS preflight for the operation. */
  readonly preflight?: Preflight | undefined;
  /** Request fields that only it may set, lower case. */
  readonly identityHeaders?: readonly string[];
}

const RANK = new Map<Phase, number>(PHASES.map((phase, rank) => [phase, rank]));
const rankOf = ({ phase }: Step): number => RANK.get(phase) as number;

/** By phase; within a phase as given: the gateway's, the route's, the operation's. */
export const inOrder = (steps: readonly Step[]): Step[] => [...steps].sort((a, b) => rankOf(a) - rankOf(b));

/** A step that only has hooks. */
export const hookStep = (phase: Phase, hooks: StepHooks): Step => ({
  phase,
  name: hooks.name,
  handler: runHooks([hooks]),
  hooks,
});

/** The handlers of a stack, outermost first: rows of hooks are one handler. */
export function toHandlers(stack: readonly Step[]): Handler[] {
  const handlers: Handler[] = [];
  let row: StepHooks[] = [];
  const endRow = (): void => {
    if (row.length > 0) handlers.push(runHooks(row));
    row = [];
  };
  for (const { handler, hooks } of stack) {
    if (hooks !== undefined) {
      row.push(hooks);
      continue;
    }
    endRow();
    handlers.push(handler);
  }
  endRow();
  return handlers;
}

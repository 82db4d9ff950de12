import { channels } from "../core/channels.ts";
import type { Exchange } from "../core/exchange.ts";
import type { Operation } from "../core/operation.ts";
import type { Violations } from "./schema/check.ts";

/** How often the messages of an operation differed from its spec, since it was loaded. */
export interface FindingCounts {
  requests: number;
  responses: number;
}

const counts = new WeakMap<Operation, FindingCounts>();

export function findingsOf(operation: Operation): Readonly<FindingCounts> {
  return counts.get(operation) ?? { requests: 0, responses: 0 };
}

/** Counts a message that differs from the spec, and publishes what differs. */
export function recordFinding(
  exchange: Exchange,
  operation: Operation,
  side: "request" | "response",
  violations: Violations,
): void {
  let known = counts.get(operation);
  if (known === undefined) {
    known = { requests: 0, responses: 0 };
    counts.set(operation, known);
  }
  if (side === "request") known.requests++;
  else known.responses++;
  if (channels.validation.hasSubscribers) {
    channels.validation.publish({ exchange, side, violations: violations.list });
  }
}

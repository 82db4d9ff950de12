import type { Exchange } from "../core/exchange.ts";
import type { Member } from "./member.ts";
import type { Policy } from "./policy.ts";
import { RandomChoice } from "./random.ts";

/** Time in which a latency is forgotten to 1/e. Finagle's and APISIX's. */
const DECAY_MS = 10_000;

/**
 * The one of two that should answer first: mean latency times the requests it has to answer before. The mean jumps to a
 * peak at once and forgets it slowly, as in Finagle.
 */
export class PeakEwma implements Policy {
  private readonly chance: RandomChoice;

  constructor(members: readonly Member[]) {
    this.chance = new RandomChoice(members);
    seed(members);
  }

  pick(exchange: Exchange): Member {
    const first = this.chance.pick();
    const second = this.chance.pick();
    if (first === second) return first;
    const now = exchange.startedAtMs;
    return cost(second, now) < cost(first, now) ? second : first;
  }
}

/** A newcomer starts as an average one: from nothing, everybody would run to it at once (apisix#13175). */
function seed(members: readonly Member[]): void {
  const known = members.filter(({ latencyMs }) => latencyMs >= 0);
  if (known.length === 0) return;
  const mean = known.reduce((sum, { latencyMs }) => sum + latencyMs, 0) / known.length;
  for (const member of members) {
    if (member.latencyMs >= 0) continue;
    member.latencyMs = mean;
    member.latencyAtMs = performance.now();
  }
}

/** Decays while it is not asked, so that one that was slow is tried again. */
function cost(member: Member, nowMs: number): number {
  if (member.latencyMs < 0) return member.inFlight / member.weight;
  const age = nowMs - member.latencyAtMs;
  const latency = age > 0 ? member.latencyMs * Math.exp(-age / DECAY_MS) : member.latencyMs;
  return ((latency + 0.001) * (member.inFlight + 1)) / member.weight;
}

/** Takes a measurement. @param isFailure a quick refusal must not look like a quick answer */
export function observeLatency(member: Member, latencyMs: number, nowMs: number, isFailure: boolean): void {
  if (member.latencyMs < 0 || latencyMs > member.latencyMs) {
    member.latencyMs = latencyMs;
  } else if (!isFailure) {
    const kept = Math.exp(-Math.max(0, nowMs - member.latencyAtMs) / DECAY_MS);
    member.latencyMs = member.latencyMs * kept + latencyMs * (1 - kept);
  }
  member.latencyAtMs = nowMs;
}

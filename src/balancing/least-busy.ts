import type { Exchange } from "../core/exchange.ts";
import type { Member } from "./member.ts";
import type { Policy } from "./policy.ts";
import { RandomChoice } from "./random.ts";
import { createRoundRobin } from "./round-robin.ts";

/**
 * The less busy of two (power of two choices). The first of them comes in turn, so that without load this is round robin;
 * the second by chance, so that many gateways do not all run to the same one.
 */
export class LeastBusy implements Policy {
  private readonly turns: Policy;
  private readonly chance: RandomChoice;

  constructor(members: readonly Member[]) {
    this.turns = createRoundRobin(members);
    this.chance = new RandomChoice(members);
  }

  pick(exchange: Exchange, round: number): Member {
    const first = this.turns.pick(exchange, round);
    if (first.inFlight === 0) return first;
    const drawn = this.chance.pick();
    // Among few, chance often draws the first again: one that hangs would then be chosen for want of another.
    const second = drawn === first ? this.turns.pick(exchange, round) : drawn;
    return second.inFlight * first.weight < first.inFlight * second.weight ? second : first;
  }
}

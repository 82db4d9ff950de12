import type { Exchange } from "../core/exchange.ts";
import { type FindKey, hash } from "./hash-key.ts";
import type { HashTableKeeper } from "./maglev-table.ts";
import type { Member } from "./member.ts";
import type { Candidates, Policy } from "./policy.ts";
import { RandomChoice } from "./random.ts";

/** After so many slots in a row that cannot be used, chance decides. */
const MAX_PROBES = 64;

/**
 * Consistent hashing by Google's Maglev table. The table holds all that discovery offers; a member that is out is stepped
 * over, so its keys spread over all others and come back to it, and no other key moves.
 */
export class Maglev implements Policy {
  private readonly tables: HashTableKeeper;
  private readonly chance: RandomChoice;
  private readonly load: Candidates["load"];
  private readonly weights: number;
  private readonly findKey: FindKey;
  private readonly bound: number;

  /** @param bound how many times the average load a member may have before its keys go on to others */
  constructor(candidates: Candidates, tables: HashTableKeeper, findKey: FindKey, bound: number) {
    this.load = candidates.load;
    this.weights = candidates.members.reduce((sum, { weight }) => sum + weight, 0);
    this.tables = tables;
    tables.tableFor(candidates.offered);
    this.chance = new RandomChoice(candidates.members);
    this.findKey = findKey;
    this.bound = bound;
  }

  pick(exchange: Exchange, round: number): Member {
    const key = this.findKey(exchange);
    if (key === undefined) return this.chance.pick();
    const table = this.tables.current;
    const { slots } = table;
    const step = 1 + (hash(key, 1) % Math.max(1, slots.length - 1));
    let at = table.slotOf(hash(key));
    let skip = round;
    let last: Member | undefined;
    for (let probe = 0; probe < MAX_PROBES; probe++, at = (at + step) % slots.length) {
      const member = table.members[slots[at] as number] as Member;
      if (member === last || !member.isCandidate || this.isOverloaded(member)) continue;
      last = member;
      if (skip-- === 0) return member;
    }
    return this.chance.pick();
  }

  /** Bounded load (Mirrokni, Thorup, Zadimoghaddam 2016). A handful at once is no overload, whatever the average. */
  private isOverloaded(member: Member): boolean {
    if (member.inFlight < 4) return false;
    return member.inFlight + 1 > Math.ceil(this.bound * (this.load.inFlight + 1) * (member.weight / this.weights));
  }
}

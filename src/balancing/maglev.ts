import type { Exchange } from "../core/exchange.ts";
import { type FindKey, hash } from "./hash-key.ts";
import type { Member } from "./member.ts";
import type { Candidates, Policy } from "./policy.ts";
import { RandomChoice } from "./random.ts";

/** Primes: at least fifty slots for each member keeps shares within a few per cent. */
const SIZES = [1_009, 10_007, 65_537, 655_373];
/** After so many slots in a row that cannot be used, chance decides. */
const MAX_PROBES = 64;

/**
 * Consistent hashing by Google's Maglev table. The table holds all that discovery offers; a member that is out is stepped
 * over, so its keys spread over all others and come back to it, and no other key moves.
 */
export class Maglev implements Policy {
  private readonly table: MaglevTable;
  private readonly chance: RandomChoice;
  private readonly load: Candidates["load"];
  private readonly weights: number;
  private readonly findKey: FindKey;
  private readonly bound: number;

  /** @param bound how many times the average load a member may have before its keys go on to others */
  constructor(candidates: Candidates, table: MaglevTable, findKey: FindKey, bound: number) {
    this.load = candidates.load;
    this.weights = candidates.members.reduce((sum, { weight }) => sum + weight, 0);
    this.table = table;
    this.chance = new RandomChoice(candidates.members);
    this.findKey = findKey;
    this.bound = bound;
  }

  pick(exchange: Exchange, round: number): Member {
    const key = this.findKey(exchange);
    if (key === undefined) return this.chance.pick();
    const { slots } = this.table;
    const step = 1 + (hash(key, 1) % (slots.length - 1));
    let at = hash(key) % slots.length;
    let skip = round;
    let last: Member | undefined;
    for (let probe = 0; probe < MAX_PROBES; probe++, at = (at + step) % slots.length) {
      const member = this.table.members[slots[at] as number] as Member;
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

/** Which member each slot belongs to. Costs some milliseconds for a thousand members: kept while they are the same. */
export class MaglevTable {
  readonly members: readonly Member[];
  readonly slots: Int32Array;
  private readonly offered: readonly Member[];
  private readonly weights: readonly number[];

  constructor(offered: readonly Member[]) {
    // The order of discovery must not matter: every gateway has to build the same table.
    const members = [...offered].sort((a, b) => (a.instance.id < b.instance.id ? -1 : 1));
    const size = SIZES.find((prime) => prime >= members.length * 50) ?? (SIZES.at(-1) as number);
    this.offered = offered;
    this.weights = offered.map(({ instance }) => instance.weight);
    this.members = members;
    this.slots = fill(members, size);
  }

  isFor(offered: readonly Member[]): boolean {
    return (
      offered.length === this.offered.length &&
      offered.every((member, i) => member === this.offered[i] && member.instance.weight === this.weights[i])
    );
  }
}

function fill(members: readonly Member[], size: number): Int32Array {
  const slots = new Int32Array(size).fill(-1);
  const n = members.length;
  const next = Float64Array.from(members, ({ instance }) => hash(instance.id) % size);
  const skips = Float64Array.from(members, ({ instance }) => 1 + (hash(instance.id, 1) % (size - 1)));
  const heaviest = Math.max(...members.map(({ instance }) => instance.weight));
  const shares = Float64Array.from(members, ({ instance }) => instance.weight / heaviest);
  const turns = new Float64Array(n);
  for (let filled = 0; ; ) {
    for (let i = 0; i < n; i++) {
      // A lighter member sits out some rounds.
      turns[i] = (turns[i] as number) + (shares[i] as number);
      if ((turns[i] as number) < 1) continue;
      turns[i] = (turns[i] as number) - 1;
      let slot = next[i] as number;
      while (slots[slot] !== -1) slot = (slot + (skips[i] as number)) % size;
      slots[slot] = i;
      next[i] = (slot + (skips[i] as number)) % size;
      if (++filled === size) return slots;
    }
  }
}

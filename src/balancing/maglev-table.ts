import { complete, type Steps } from "../core/slices.ts";
import { hash } from "./hash-key.ts";
import type { Member } from "./member.ts";

/** Where keys lead: a circle of slots, each of which belongs to a member. */
export interface HashTable {
  readonly members: readonly Member[];
  /** Index of its member, for each slot. */
  readonly slots: Int32Array;
  /** Slot of a key's hash. */
  slotOf(keyHash: number): number;
}

/** Primes: at least fifty slots for each member keeps shares within a few per cent. */
const SIZES = [1_009, 10_007, 65_537, 262_147, 655_373];
/** Built in one go up to this size: a millisecond or two. */
const SMALL = 10_007;
/** Steps of a build without a pause; a quarter of a millisecond to one. */
const SLICE = 4_096;
/** A large table takes a tenth of a second or two of the processor: in so many small parts that requests hardly notice. */
const PAUSE_MS = 3;

const sizeFor = (members: number): number => SIZES.find((prime) => prime >= members * 50) ?? (SIZES.at(-1) as number);

/**
 * The table of one group of candidates. A large one is built in slices beside the traffic while the one before serves,
 * whose members that left are stepped over; before the first, a ring does.
 */
export class HashTableKeeper {
  private table: HashTable | undefined = undefined;
  private builtFor: Offer | undefined = undefined;
  private wanted: Offer | undefined = undefined;

  /** The table for these, or what serves until it is ready. */
  tableFor(offered: readonly Member[]): HashTable {
    if (this.wanted?.isOf(offered) !== true) {
      const isBuilding = this.wanted !== this.builtFor;
      this.wanted = new Offer(offered);
      const size = sizeFor(offered.length);
      if (size <= SMALL) this.finish(this.wanted, complete(buildMaglev(offered, size)));
      else if (!isBuilding) this.build(this.wanted);
      this.table ??= new HashRing(offered);
    }
    return this.table as HashTable;
  }

  /** Read on each pick: a table that has become ready serves at once. */
  get current(): HashTable {
    return this.table as HashTable;
  }

  private build(offer: Offer): void {
    const steps = buildMaglev(offer.members, sizeFor(offer.members.length));
    const advance = (): void => {
      // A smaller offer was dealt with at once in the meantime.
      if (this.wanted === this.builtFor) return;
      const { done, value } = steps.next();
      if (done !== true) {
        setTimeout(advance, PAUSE_MS).unref();
        return;
      }
      this.finish(offer, value);
      // It may be out of date already: what is wanted by now comes next.
      if (this.wanted !== undefined && this.wanted !== offer) this.build(this.wanted);
    };
    setTimeout(advance, PAUSE_MS).unref();
  }

  private finish(offer: Offer, table: HashTable): void {
    this.table = table;
    this.builtFor = offer;
  }
}

/** What discovery offered at one time: members, and their weights then. */
class Offer {
  readonly members: readonly Member[];
  private readonly weights: Float64Array;

  constructor(members: readonly Member[]) {
    this.members = members;
    this.weights = Float64Array.from(members, ({ instance }) => instance.weight);
  }

  isOf(offered: readonly Member[]): boolean {
    const { members, weights } = this;
    if (offered.length !== members.length) return false;
    for (let i = 0; i < members.length; i++) {
      const member = offered[i] as Member;
      if (member !== members[i] || member.instance.weight !== weights[i]) return false;
    }
    return true;
  }
}

/** One point for each member, without regard to weights: uneven, and made in a millisecond or two for ten thousand. */
class HashRing implements HashTable {
  readonly members: readonly Member[];
  readonly slots: Int32Array;
  private readonly points: Float64Array;

  constructor(offered: readonly Member[]) {
    this.members = inHashOrder(offered);
    this.points = Float64Array.from(this.members, ({ instance }) => hash(instance.id));
    this.slots = Int32Array.from(this.members, (_, i) => i);
  }

  slotOf(keyHash: number): number {
    let [low, high] = [0, this.points.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.points[middle] as number) < keyHash) low = middle + 1;
      else high = middle;
    }
    return low === this.points.length ? 0 : low;
  }
}

class MaglevTable implements HashTable {
  readonly members: readonly Member[];
  readonly slots: Int32Array;

  constructor(members: readonly Member[], slots: Int32Array) {
    this.members = members;
    this.slots = slots;
  }

  slotOf(keyHash: number): number {
    return keyHash % this.slots.length;
  }
}

/** The order of discovery must not matter: every gateway has to build the same table. */
function inHashOrder(offered: readonly Member[]): Member[] {
  // A typed array sorts numbers ten times as fast as strings are compared; the hash stands above the 2²⁰ places.
  const keys = Float64Array.from(offered, ({ instance }, i) => hash(instance.id) * 2 ** 20 + i).sort();
  const members = Array.from(keys, (key) => offered[key % 2 ** 20] as Member);
  for (let i = 1; i < members.length; i++) {
    // Two ids of one hash, as a pair in a few billion is.
    const isTwin = Math.floor((keys[i] as number) / 2 ** 20) === Math.floor((keys[i - 1] as number) / 2 ** 20);
    const [before, after] = [members[i - 1] as Member, members[i] as Member];
    if (isTwin && after.instance.id < before.instance.id) [members[i - 1], members[i]] = [after, before];
  }
  return members;
}

/** Google's Maglev, §3.4; yields wherever it may pause. */
function* buildMaglev(offered: readonly Member[], size: number): Steps<HashTable> {
  const members = inHashOrder(offered);
  yield;
  const slots = new Int32Array(size).fill(-1);
  const n = members.length;
  const next = Float64Array.from(members, ({ instance }) => hash(instance.id) % size);
  const skips = Float64Array.from(members, ({ instance }) => 1 + (hash(instance.id, 1) % (size - 1)));
  const heaviest = members.reduce((most, { instance }) => Math.max(most, instance.weight), 0);
  const shares = Float64Array.from(members, ({ instance }) => instance.weight / heaviest);
  const turns = new Float64Array(n);
  yield;
  let steps = 0;
  for (let filled = 0; ; ) {
    for (let i = 0; i < n; i++) {
      if (++steps >= SLICE) {
        steps = 0;
        yield;
      }
      // A lighter member sits out some rounds.
      turns[i] = (turns[i] as number) + (shares[i] as number);
      if ((turns[i] as number) < 1) continue;
      turns[i] = (turns[i] as number) - 1;
      let slot = next[i] as number;
      while (slots[slot] !== -1) {
        slot = (slot + (skips[i] as number)) % size;
        steps++;
      }
      slots[slot] = i;
      next[i] = (slot + (skips[i] as number)) % size;
      if (++filled === size) return new MaglevTable(members, slots);
    }
  }
}

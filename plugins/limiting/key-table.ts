import { KeyedHash } from "./keyed-hash.ts";

const SHARDS = 64;
const FIRST_SLOTS = 64;
/** How many slots are looked at to find the one that is given up when a shard is full. */
const CANDIDATES = 16;

/**
 * Numbers by key, at most `maxKeys` of them: open addressing in typed arrays, so that a million keys are a few dozen
 * megabytes that the garbage collector never walks. Shards grow one at a time: no request waits for the whole to be copied.
 * A full shard forgets what has expired, and then whatever expires soonest: a flood of new keys pushes out other
 * newcomers, not the caller who is being held back.
 */
export class KeyTable {
  /** The numbers of the key that {@link find} has just found, from the offset that it returned. */
  values: Float64Array;
  private readonly shards: Shard[];
  private readonly hash = new KeyedHash();

  /**
   * @param width numbers a key; all 0 for a new one
   * @param expiryMs when the numbers at an offset say no more than those of a new key would
   */
  constructor(width: number, maxKeys: number, expiryMs: (values: Float64Array, at: number) => number) {
    const maxKeysEach = Math.max(CANDIDATES, Math.floor(maxKeys / SHARDS));
    this.shards = Array.from({ length: SHARDS }, () => new Shard(width, maxKeysEach, expiryMs));
    this.values = (this.shards[0] as Shard).values;
  }

  /** @returns the offset in {@link values}; a key that was not there is added */
  find(key: string, nowMs: number): number {
    const { hash } = this;
    hash.of(key);
    const shard = this.shards[hash.high & (SHARDS - 1)] as Shard;
    const at = shard.find(hash.low, hash.high, nowMs);
    this.values = shard.values;
    return at;
  }

  get size(): number {
    return this.shards.reduce((sum, shard) => sum + shard.size, 0);
  }

  /** Memory that the arrays hold. */
  get bytes(): number {
    return this.shards.reduce((sum, shard) => sum + shard.bytes, 0);
  }
}

class Shard {
  values: Float64Array;
  size = 0;
  private marks: Int32Array;
  private mask: number;
  private nextSweepMs = 0;
  private readonly width: number;
  private readonly maxKeys: number;
  private readonly expiryMs: (values: Float64Array, at: number) => number;

  constructor(width: number, maxKeys: number, expiryMs: (values: Float64Array, at: number) => number) {
    this.width = width;
    this.maxKeys = maxKeys;
    this.expiryMs = expiryMs;
    this.marks = new Int32Array(FIRST_SLOTS * 2);
    this.values = new Float64Array(FIRST_SLOTS * width);
    this.mask = FIRST_SLOTS - 1;
  }

  get bytes(): number {
    return this.marks.byteLength + this.values.byteLength;
  }

  find(low: number, high: number, nowMs: number): number {
    // Two zeros mark a free slot.
    if (low === 0 && high === 0) low = 1;
    const slot = this.slotOf(low, high);
    if (this.isUsed(slot)) return slot * this.width;
    return this.insert(low, high, nowMs) * this.width;
  }

  private slotOf(low: number, high: number): number {
    const { marks, mask } = this;
    let slot = low & mask;
    for (;;) {
      const at = slot << 1;
      const mark = marks[at];
      if ((mark === low && marks[at + 1] === high) || (mark === 0 && marks[at + 1] === 0)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  private isUsed(slot: number): boolean {
    return this.marks[slot << 1] !== 0 || this.marks[(slot << 1) + 1] !== 0;
  }

  private insert(low: number, high: number, nowMs: number): number {
    if (this.size >= this.maxKeys) this.makeRoom(low & this.mask, nowMs);
    else if (this.size * 3 > this.mask * 2) this.grow(nowMs);
    const slot = this.slotOf(low, high);
    this.marks[slot << 1] = low;
    this.marks[(slot << 1) + 1] = high;
    this.values.fill(0, slot * this.width, (slot + 1) * this.width);
    this.size++;
    return slot;
  }

  /** To twice the slots, unless forgetting what has expired makes room enough. */
  private grow(nowMs: number): void {
    const before = this.size;
    this.rebuild(this.mask + 1, nowMs);
    if (this.size * 2 > before) this.rebuild((this.mask + 1) * 2, nowMs);
  }

  private makeRoom(near: number, nowMs: number): void {
    if (nowMs >= this.nextSweepMs) {
      // At most once a second: a sweep reads the whole shard.
      this.nextSweepMs = nowMs + 1_000;
      this.rebuild(this.mask + 1, nowMs);
      if (this.size < this.maxKeys) return;
    }
    let soonest = -1;
    let soonestMs = Number.POSITIVE_INFINITY;
    for (let slot = near, seen = 0; seen < CANDIDATES; slot = (slot + 1) & this.mask) {
      if (!this.isUsed(slot)) continue;
      seen++;
      const expiryMs = this.expiryMs(this.values, slot * this.width);
      if (expiryMs < soonestMs) {
        soonestMs = expiryMs;
        soonest = slot;
      }
    }
    this.remove(soonest);
  }

  /** Closes the gap, so that a search may still end at the first free slot (Knuth, volume 3, §6.4, algorithm R). */
  private remove(gap: number): void {
    const { marks, mask, values, width } = this;
    for (let slot = (gap + 1) & mask; this.isUsed(slot); slot = (slot + 1) & mask) {
      const home = (marks[slot << 1] as number) & mask;
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
      marks[gap << 1] = marks[slot << 1] as number;
      marks[(gap << 1) + 1] = marks[(slot << 1) + 1] as number;
      values.copyWithin(gap * width, slot * width, (slot + 1) * width);
      gap = slot;
    }
    marks[gap << 1] = 0;
    marks[(gap << 1) + 1] = 0;
    this.size--;
  }

  private rebuild(slots: number, nowMs: number): void {
    const { marks, values, width } = this;
    this.marks = new Int32Array(slots * 2);
    this.values = new Float64Array(slots * width);
    this.mask = slots - 1;
    this.size = 0;
    for (let slot = 0; slot < marks.length >> 1; slot++) {
      const low = marks[slot << 1] as number;
      const high = marks[(slot << 1) + 1] as number;
      if ((low === 0 && high === 0) || this.expiryMs(values, slot * width) <= nowMs) continue;
      const to = this.slotOf(low, high);
      this.marks[to << 1] = low;
      this.marks[(to << 1) + 1] = high;
      for (let i = 0; i < width; i++) this.values[to * width + i] = values[slot * width + i] as number;
      this.size++;
    }
  }
}

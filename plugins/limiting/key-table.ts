import { KeyedHash } from "./keyed-hash.ts";

const MAX_SHARDS = 64;
/** Of the keys that a table may hold, at least so many a shard: a full table then has no shard that is nearly empty. */
const LEAST_KEYS_EACH = 256;
const FIRST_SLOTS = 64;
/** How many slots are looked at to find the one that is given up when the table is full. */
const CANDIDATES = 16;

/** When the numbers at an offset say no more than those of a new key would. */
type ExpiryMs = (values: Float64Array, at: number) => number;

/**
 * Numbers by key, at most `maxKeys` of them: open addressing in typed arrays, so that a million keys are a few dozen
 * megabytes that the garbage collector never walks. What tells a key and its numbers lie side by side, so that a key
 * among a million costs one look into memory that no cache holds. Shards grow one at a time: no request waits for the
 * whole to be copied. A full table forgets what has expired, and then whatever expires soonest: a flood of new keys
 * pushes out other newcomers, not the caller who is being held back.
 */
export class KeyTable {
  /** The numbers of the key that {@link find} has just found, from the offset that it returned. */
  values: Float64Array;
  private readonly shards: readonly Shard[];
  private readonly shardMask: number;
  private readonly hash = new KeyedHash();
  private readonly maxKeys: number;

  /**
   * @param width numbers a key; all 0 for a new one
   * @param maxKeys at least 1
   */
  constructor(width: number, maxKeys: number, expiryMs: ExpiryMs) {
    this.maxKeys = maxKeys;
    let count = 1;
    while (count < MAX_SHARDS && maxKeys >= 2 * count * LEAST_KEYS_EACH) count *= 2;
    this.shards = Array.from({ length: count }, () => new Shard(width, expiryMs));
    this.shardMask = count - 1;
    this.values = (this.shards[0] as Shard).values;
  }

  /** @returns the offset in {@link values}; a key that was not there is added */
  find(key: string, nowMs: number): number {
    const { hash } = this;
    hash.of(key);
    // Two zeros mark a free slot.
    if (hash.low === 0 && hash.high === 0) hash.low = 1;
    const index = hash.high & this.shardMask;
    const shard = this.shards[index] as Shard;
    let at = shard.find(hash.low, hash.high);
    if (at < 0) {
      if (this.size >= this.maxKeys) this.makeRoom(index, nowMs);
      at = shard.add(hash.low, hash.high, nowMs);
    }
    this.values = shard.values;
    return at;
  }

  /** In the shard where the new key belongs, as long as that has a choice to give; in one of those after it otherwise. */
  private makeRoom(index: number, nowMs: number): void {
    const { shards, hash, shardMask } = this;
    let largest = shards[index] as Shard;
    for (let i = 1; i <= shardMask && largest.size < CANDIDATES; i++) {
      const shard = shards[(index + i) & shardMask] as Shard;
      if (shard.size > largest.size) largest = shard;
    }
    largest.makeRoom(hash.low, nowMs);
  }

  get size(): number {
    let size = 0;
    for (const shard of this.shards) size += shard.size;
    return size;
  }

  /** Memory that the arrays hold. */
  get bytes(): number {
    return this.shards.reduce((sum, shard) => sum + shard.bytes, 0);
  }
}

/** Slots of `stride` eight-byte cells: the hash of a key in the first, 0 for none, and then its numbers. */
class Shard {
  values: Float64Array;
  size = 0;
  /** The same memory by halves of cells, to read the hashes. */
  private halves: Int32Array;
  private mask = FIRST_SLOTS - 1;
  private nextSweepMs = 0;
  private readonly stride: number;
  private readonly expiryMs: ExpiryMs;

  constructor(width: number, expiryMs: ExpiryMs) {
    this.stride = width + 1;
    this.expiryMs = expiryMs;
    this.values = new Float64Array(FIRST_SLOTS * this.stride);
    this.halves = new Int32Array(this.values.buffer);
  }

  get bytes(): number {
    return this.values.byteLength;
  }

  /** @returns where its numbers start; below 0: it is not there */
  find(low: number, high: number): number {
    const at = this.cellOf(low, high);
    return this.isUsed(at) ? at + 1 : -1;
  }

  /** @returns where its numbers, all of them 0, start. @param low of a key that is not there */
  add(low: number, high: number, nowMs: number): number {
    if (this.size * 3 > this.mask * 2) this.grow(nowMs);
    const at = this.cellOf(low, high);
    this.halves[at << 1] = low;
    this.halves[(at << 1) + 1] = high;
    this.size++;
    return at + 1;
  }

  /** @returns the first cell of the slot that has the hash, or of the free one where it belongs */
  private cellOf(low: number, high: number): number {
    const { halves, mask, stride } = this;
    let slot = low & mask;
    for (;;) {
      const at = slot * stride;
      const mark = halves[at << 1];
      const other = halves[(at << 1) + 1];
      if ((mark === low && other === high) || (mark === 0 && other === 0)) return at;
      slot = (slot + 1) & mask;
    }
  }

  private isUsed(at: number): boolean {
    return this.halves[at << 1] !== 0 || this.halves[(at << 1) + 1] !== 0;
  }

  /** To twice the slots, unless forgetting what has expired makes room enough. */
  private grow(nowMs: number): void {
    const before = this.size;
    this.rebuild(this.mask + 1, nowMs);
    if (this.size * 2 > before) this.rebuild((this.mask + 1) * 2, nowMs);
  }

  /** Forgets one key at least, if there is one. */
  makeRoom(near: number, nowMs: number): void {
    const before = this.size;
    if (nowMs >= this.nextSweepMs) {
      // At most once a second: a sweep reads the whole shard.
      this.nextSweepMs = nowMs + 1_000;
      this.rebuild(this.mask + 1, nowMs);
      if (this.size < before) return;
    }
    let soonest = -1;
    let soonestMs = Number.POSITIVE_INFINITY;
    const candidates = Math.min(CANDIDATES, before);
    for (let slot = near & this.mask, seen = 0; seen < candidates; slot = (slot + 1) & this.mask) {
      const at = slot * this.stride;
      if (!this.isUsed(at)) continue;
      seen++;
      const expiryMs = this.expiryMs(this.values, at + 1);
      if (soonest < 0 || expiryMs < soonestMs) {
        soonestMs = expiryMs;
        soonest = slot;
      }
    }
    if (soonest >= 0) this.remove(soonest);
  }

  /** Closes the gap, so that a search may still end at the first free slot (Knuth, volume 3, §6.4, algorithm R). */
  private remove(gap: number): void {
    const { halves, mask, values, stride } = this;
    for (let slot = (gap + 1) & mask; this.isUsed(slot * stride); slot = (slot + 1) & mask) {
      const home = (halves[(slot * stride) << 1] as number) & mask;
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
      this.move(halves, slot * stride, gap * stride);
      gap = slot;
    }
    values.fill(0, gap * stride, (gap + 1) * stride);
    this.size--;
  }

  private rebuild(slots: number, nowMs: number): void {
    const { halves, values, stride } = this;
    this.values = new Float64Array(slots * stride);
    this.halves = new Int32Array(this.values.buffer);
    this.mask = slots - 1;
    this.size = 0;
    for (let at = 0; at < values.length; at += stride) {
      const low = halves[at << 1] as number;
      const high = halves[(at << 1) + 1] as number;
      if ((low === 0 && high === 0) || this.expiryMs(values, at + 1) <= nowMs) continue;
      this.move(halves, at, this.cellOf(low, high));
      this.size++;
    }
  }

  /** By halves: as a float, the bits of a hash that are no number would not all arrive. */
  private move(from: Int32Array, at: number, to: number): void {
    const { halves, stride } = this;
    for (let i = 0; i < stride * 2; i++) halves[to * 2 + i] = from[at * 2 + i] as number;
  }
}

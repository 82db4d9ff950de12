/** Hashes looked at for one: a set of four, of which the oldest makes room. */
const WAYS = 4;
const TICK_MS = 100;

/**
 * Keys for a short time, by their hashes: nothing for the garbage collector to visit, and no bound that a flood of keys
 * could reach. It may forget one early, and two keys of one hash are the same to it.
 */
export class RecentKeys {
  private readonly lifetimeTicks: number;
  private readonly mask: number;
  /** Of each place the hash, and the tick until which it counts. */
  private readonly hashes: Uint32Array;
  private readonly until: Uint32Array;
  /** Tick at which the last of them ends: from then on none has to be looked for. */
  private lastUntil = 0;

  private readonly startMs = Date.now();

  /** @param limit how many at most: a power of two */
  constructor(limit: number, lifetimeMs: number) {
    this.lifetimeTicks = Math.ceil(lifetimeMs / TICK_MS);
    this.mask = limit - WAYS;
    this.hashes = new Uint32Array(limit);
    this.until = new Uint32Array(limit);
  }

  add(hash: number, nowMs: number): void {
    const first = (hash & this.mask) >>> 0;
    let place = first;
    for (let at = first; at < first + WAYS; at++) {
      if (this.hashes[at] === hash) {
        place = at;
        break;
      }
      if ((this.until[at] as number) < (this.until[place] as number)) place = at;
    }
    this.hashes[place] = hash;
    this.lastUntil = this.tickOf(nowMs) + this.lifetimeTicks;
    this.until[place] = this.lastUntil;
  }

  has(hash: number, nowMs: number): boolean {
    if (this.lastUntil === 0) return false;
    const tick = this.tickOf(nowMs);
    if (tick >= this.lastUntil) {
      this.lastUntil = 0;
      return false;
    }
    const place = this.find(hash);
    return place >= 0 && (this.until[place] as number) > tick;
  }

  delete(hash: number): void {
    if (this.lastUntil === 0) return;
    const place = this.find(hash);
    if (place >= 0) this.until[place] = 0;
  }

  private tickOf(nowMs: number): number {
    return Math.max(0, Math.floor((nowMs - this.startMs) / TICK_MS));
  }

  private find(hash: number): number {
    const first = (hash & this.mask) >>> 0;
    for (let at = first; at < first + WAYS; at++) if (this.hashes[at] === hash) return at;
    return -1;
  }
}

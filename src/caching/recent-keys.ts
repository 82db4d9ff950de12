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

  /** @param limit how many at most: a power of two */
  constructor(limit: number, lifetimeMs: number) {
    this.lifetimeTicks = Math.ceil(lifetimeMs / TICK_MS);
    this.mask = limit - WAYS;
    this.hashes = new Uint32Array(limit);
    this.until = new Uint32Array(limit);
  }

  add(hash: number): void {
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
    this.until[place] = now() + this.lifetimeTicks;
  }

  has(hash: number): boolean {
    const place = this.find(hash);
    return place >= 0 && (this.until[place] as number) > now();
  }

  delete(hash: number): void {
    const place = this.find(hash);
    if (place >= 0) this.until[place] = 0;
  }

  private find(hash: number): number {
    const first = (hash & this.mask) >>> 0;
    for (let at = first; at < first + WAYS; at++) if (this.hashes[at] === hash) return at;
    return -1;
  }
}

const now = (): number => Math.floor(performance.now() / TICK_MS);

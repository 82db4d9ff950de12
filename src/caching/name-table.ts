/** What has a name, and the hash of it. */
export interface Named {
  readonly name: string;
  readonly hash: number;
}

/**
 * Objects by name, in open addressing. Not a Map: a Map that is filled and emptied all the time leaves its old tables
 * behind, each of which keeps the flights that were in it alive, and with them whole requests, until all of memory is
 * collected. Measured: a third of what a miss cost. Nor does a Map know the hash that is known already.
 */
export class NameTable<T extends Named> {
  private slots = new Array<T | undefined>(FIRST_CAPACITY).fill(undefined);
  private count = 0;

  get size(): number {
    return this.count;
  }

  find(hash: number, name: string): T | undefined {
    if (this.count === 0) return undefined;
    const { slots } = this;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const named = slots[slot];
      if (named === undefined || (named.hash === hash && named.name === name)) return named;
    }
  }

  /** Adds one whose name no other has. */
  add(named: T): void {
    if (this.count * 2 >= this.slots.length) this.grow();
    this.count++;
    this.fill(named);
  }

  /** Takes it out, if it is there. */
  remove(named: T): void {
    const { slots } = this;
    const mask = slots.length - 1;
    let gap = named.hash & mask;
    while (slots[gap] !== named) {
      if (slots[gap] === undefined) return;
      gap = (gap + 1) & mask;
    }
    this.count--;
    for (let slot = (gap + 1) & mask; slots[slot] !== undefined; slot = (slot + 1) & mask) {
      const home = (slots[slot] as T).hash & mask;
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
      slots[gap] = slots[slot];
      gap = slot;
    }
    slots[gap] = undefined;
  }

  private fill(named: T): void {
    const mask = this.slots.length - 1;
    let slot = named.hash & mask;
    while (this.slots[slot] !== undefined) slot = (slot + 1) & mask;
    this.slots[slot] = named;
  }

  private grow(): void {
    const old = this.slots;
    this.slots = new Array<T | undefined>(old.length * 2).fill(undefined);
    for (const named of old) if (named !== undefined) this.fill(named);
  }
}

const FIRST_CAPACITY = 256;

/** Tells whether the entry of that number has that key. */
export type HasKey = (entry: number, key: string) => boolean;

/** Ends of lists and empty slots: no entry has that number. */
export const NONE = 0xffff_ffff;
const FIRST_CAPACITY = 64;

/**
 * Entries by number: found by the hash of their key, and in the order of their last use. Four numbers and a share of
 * the slots an entry, 24 bytes; a million objects would weigh ten times that, and the garbage collector would visit each.
 */
export class EntryTable {
  /** How many there are. */
  count = 0;
  private readonly hasKey: HasKey;
  private hashes = new Uint32Array(0);
  private places = new Uint32Array(0);
  /** The next one used before it; of free numbers, the next free one. */
  private older = new Uint32Array(0);
  private younger = new Uint32Array(0);
  /** Open addressing with linear probing; at least half of them are empty. */
  private slots = new Uint32Array(0);
  private free = NONE;
  private youngest = NONE;
  private oldestEntry = NONE;

  constructor(hasKey: HasKey) {
    this.hasKey = hasKey;
  }

  /** The one that was used longest ago. */
  get oldest(): number {
    return this.oldestEntry;
  }

  /** Bytes it takes now. */
  get bytes(): number {
    return bytesFor(this.hashes.length);
  }

  /** Bytes it will take with so many more. */
  bytesWith(more: number): number {
    let capacity = this.hashes.length;
    while (capacity < this.count + more) capacity = capacity === 0 ? FIRST_CAPACITY : capacity * 2;
    return bytesFor(capacity);
  }

  find(hash: number, key: string): number {
    const { slots } = this;
    const mask = slots.length - 1;
    if (mask < 0) return NONE;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot] as number;
      if (entry === NONE || (this.hashes[entry] === hash && this.hasKey(entry, key))) return entry;
    }
  }

  /** Where its record stands. */
  place(entry: number): number {
    return this.places[entry] as number;
  }

  setPlace(entry: number, place: number): void {
    this.places[entry] = place;
  }

  /** Adds one as the most recently used. @returns its number */
  add(hash: number, place: number): number {
    if (this.free === NONE) this.grow();
    const entry = this.free;
    this.free = this.older[entry] as number;
    this.hashes[entry] = hash;
    this.places[entry] = place;
    this.fill(entry);
    this.pushYoungest(entry);
    this.count++;
    return entry;
  }

  /** Makes it the most recently used. */
  touch(entry: number): void {
    if (entry === this.youngest) return;
    this.unlink(entry);
    this.pushYoungest(entry);
  }

  remove(entry: number): void {
    this.unlink(entry);
    this.empty(entry);
    this.older[entry] = this.free;
    this.free = entry;
    this.count--;
  }

  private pushYoungest(entry: number): void {
    this.older[entry] = this.youngest;
    this.younger[entry] = NONE;
    if (this.youngest === NONE) this.oldestEntry = entry;
    else this.younger[this.youngest] = entry;
    this.youngest = entry;
  }

  private unlink(entry: number): void {
    const older = this.older[entry] as number;
    const younger = this.younger[entry] as number;
    if (older === NONE) this.oldestEntry = younger;
    else this.younger[older] = younger;
    if (younger === NONE) this.youngest = older;
    else this.older[younger] = older;
  }

  private fill(entry: number): void {
    const mask = this.slots.length - 1;
    let slot = (this.hashes[entry] as number) & mask;
    while (this.slots[slot] !== NONE) slot = (slot + 1) & mask;
    this.slots[slot] = entry;
  }

  /** Closes the gap, so that no search has to pass over what is gone. */
  private empty(entry: number): void {
    const { slots } = this;
    const mask = slots.length - 1;
    let gap = (this.hashes[entry] as number) & mask;
    while (slots[gap] !== entry) gap = (gap + 1) & mask;
    for (let slot = (gap + 1) & mask; slots[slot] !== NONE; slot = (slot + 1) & mask) {
      const home = (this.hashes[slots[slot] as number] as number) & mask;
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
      slots[gap] = slots[slot] as number;
      gap = slot;
    }
    slots[gap] = NONE;
  }

  private grow(): void {
    const before = this.hashes.length;
    const capacity = before === 0 ? FIRST_CAPACITY : before * 2;
    this.hashes = enlarged(this.hashes, capacity);
    this.places = enlarged(this.places, capacity);
    this.older = enlarged(this.older, capacity);
    this.younger = enlarged(this.younger, capacity);
    this.slots = new Uint32Array(capacity * 2).fill(NONE);
    // None was free: every number so far is an entry's.
    for (let entry = 0; entry < before; entry++) this.fill(entry);
    for (let entry = capacity - 1; entry >= before; entry--) {
      this.older[entry] = this.free;
      this.free = entry;
    }
  }
}

const bytesFor = (capacity: number): number => capacity * 24;

function enlarged(from: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  const to = new Uint32Array(length);
  to.set(from);
  return to;
}

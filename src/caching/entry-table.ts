/** Tells whether the entry of that number has that key. */
export type HasKey = (entry: number, key: string) => boolean;

/** Ends of lists and empty slots: no entry has that number. */
export const NONE = 0xffff_ffff;
const FIRST_CAPACITY = 64;

/** What stands of an entry in its row: the hash of its key, where its record is, and its neighbours by last use. */
const ROW = 4;
const HASH = 0;
const PLACE = 1;
/** The next one used before it; of free numbers, the next free one. */
const OLDER = 2;
const YOUNGER = 3;

/** A slot: the number of its entry, and the hash again, so that a search touches no row but the one it looks for. */
const SLOT = 2;
const SLOTS_AN_ENTRY = 2;
const ENTRY_BYTES = ROW * 4 + 2 + SLOTS_AN_ENTRY * SLOT * 4;

/**
 * Entries by number: found by the hash of their key, and in the order of their last use. A row of four numbers, a size
 * and a share of the slots an entry, 34 bytes; a million objects would weigh ten times that, and the garbage collector
 * would visit each. A row lies in one line of the processor's cache: to evict one of a million costs few waits for memory.
 */
export class EntryTable {
  /** How many there are. */
  count = 0;
  private readonly hasKey: HasKey;
  private rows = new Uint32Array(0);
  private sizes = new Uint16Array(0);
  /** Open addressing with linear probing; at least half of them are empty. */
  private slots = new Uint32Array(0);
  /** Number of slots, less one: a hash falls where these bits of it say. */
  private mask = -1;
  private free = NONE;
  private youngest = NONE;
  private oldestEntry = NONE;
  /** Kept, so that no compiler takes the reading for useless. */
  lastRead = 0;

  constructor(hasKey: HasKey) {
    this.hasKey = hasKey;
  }

  /** The one that was used longest ago. */
  get oldest(): number {
    return this.oldestEntry;
  }

  /** Bytes it takes now. */
  get bytes(): number {
    return this.sizes.length * ENTRY_BYTES;
  }

  /** Bytes it will take with so many more. */
  bytesWith(more: number): number {
    let capacity = this.sizes.length;
    while (capacity < this.count + more) capacity = capacity === 0 ? FIRST_CAPACITY : capacity * 2;
    return capacity * ENTRY_BYTES;
  }

  find(hash: number, key: string): number {
    const { slots } = this;
    const { mask } = this;
    if (mask < 0) return NONE;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot * SLOT] as number;
      if (entry === NONE || (slots[slot * SLOT + 1] === hash && this.hasKey(entry, key))) return entry;
    }
  }

  /**
   * Reads what will be looked for and evicted next, one independent of the other: so their waits for memory overlap.
   * @param hashes of what will be looked for, so many of them
   */
  warm(hashes: Uint32Array, count: number): void {
    const { rows, slots, mask } = this;
    let read = 0;
    let entry = this.oldestEntry;
    for (let i = 0; i < count; i++) {
      read ^= slots[((hashes[i] as number) & mask) * SLOT] as number;
      if (entry === NONE) continue;
      read ^= slots[((rows[entry * ROW + HASH] as number) & mask) * SLOT] as number;
      entry = rows[entry * ROW + YOUNGER] as number;
    }
    this.lastRead = read;
  }

  /** Whether the entry of that number is there, and has that hash. */
  has(entry: number, hash: number): boolean {
    const row = entry * ROW;
    return this.rows[row + HASH] === hash && this.rows[row + PLACE] !== NONE;
  }

  /** Where its record stands; {@link NONE} of a free number. */
  place(entry: number): number {
    return this.rows[entry * ROW + PLACE] as number;
  }

  setPlace(entry: number, place: number): void {
    this.rows[entry * ROW + PLACE] = place;
  }

  /** Bytes of its record, as they were given. */
  size(entry: number): number {
    return this.sizes[entry] as number;
  }

  /** Adds one as the most recently used. @param size less than 65,536 @returns its number */
  add(hash: number, place: number, size: number): number {
    if (this.free === NONE) this.grow();
    const entry = this.free;
    const row = entry * ROW;
    this.free = this.rows[row + OLDER] as number;
    this.rows[row + HASH] = hash;
    this.rows[row + PLACE] = place;
    this.sizes[entry] = size;
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
    this.rows[entry * ROW + PLACE] = NONE;
    this.rows[entry * ROW + OLDER] = this.free;
    this.free = entry;
    this.count--;
  }

  private pushYoungest(entry: number): void {
    const { rows } = this;
    rows[entry * ROW + OLDER] = this.youngest;
    rows[entry * ROW + YOUNGER] = NONE;
    if (this.youngest === NONE) this.oldestEntry = entry;
    else rows[this.youngest * ROW + YOUNGER] = entry;
    this.youngest = entry;
  }

  private unlink(entry: number): void {
    const { rows } = this;
    const older = rows[entry * ROW + OLDER] as number;
    const younger = rows[entry * ROW + YOUNGER] as number;
    if (older === NONE) this.oldestEntry = younger;
    else rows[older * ROW + YOUNGER] = younger;
    if (younger === NONE) this.youngest = older;
    else rows[younger * ROW + OLDER] = older;
  }

  private fill(entry: number): void {
    const { slots, mask } = this;
    const hash = this.rows[entry * ROW + HASH] as number;
    let slot = hash & mask;
    while (slots[slot * SLOT] !== NONE) slot = (slot + 1) & mask;
    slots[slot * SLOT] = entry;
    slots[slot * SLOT + 1] = hash;
  }

  /** Closes the gap, so that no search has to pass over what is gone. */
  private empty(entry: number): void {
    const { slots, mask } = this;
    let gap = (this.rows[entry * ROW + HASH] as number) & mask;
    while (slots[gap * SLOT] !== entry) gap = (gap + 1) & mask;
    for (let slot = (gap + 1) & mask; slots[slot * SLOT] !== NONE; slot = (slot + 1) & mask) {
      const hash = slots[slot * SLOT + 1] as number;
      if (((slot - hash) & mask) < ((slot - gap) & mask)) continue;
      slots[gap * SLOT] = slots[slot * SLOT] as number;
      slots[gap * SLOT + 1] = hash;
      gap = slot;
    }
    slots[gap * SLOT] = NONE;
  }

  private grow(): void {
    const before = this.sizes.length;
    const capacity = before === 0 ? FIRST_CAPACITY : before * 2;
    const rows = new Uint32Array(capacity * ROW);
    rows.set(this.rows);
    const sizes = new Uint16Array(capacity);
    sizes.set(this.sizes);
    this.rows = rows;
    this.sizes = sizes;
    this.slots = new Uint32Array(capacity * SLOTS_AN_ENTRY * SLOT).fill(NONE);
    this.mask = capacity * SLOTS_AN_ENTRY - 1;
    // None was free: every number so far is an entry's.
    for (let entry = 0; entry < before; entry++) this.fill(entry);
    for (let entry = capacity - 1; entry >= before; entry--) {
      rows[entry * ROW + PLACE] = NONE;
      rows[entry * ROW + OLDER] = this.free;
      this.free = entry;
    }
  }
}

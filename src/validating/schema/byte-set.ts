const BACKSLASH = 0x5c;
const LEAST_SLOTS = 128;
/** Places looked at for each text, on average: of a client that has found texts of one hash, strings are compared, too. */
const MAX_LOOKS = 8;
const LEAST_LOOKS = 1024;

/**
 * The texts of one object or array, by where they stand in the bytes: telling a hundred thousand apart costs no string of
 * any of them. A table with open addressing. From the first one with escapes on, they are compared as strings after all.
 */
export class ByteSet {
  private readonly bytes: Buffer;
  private count = 0;
  private looks = 0;
  /** The place of a text in the other arrays, and one; 0 for none. */
  private slots = new Int32Array(LEAST_SLOTS);
  private starts = new Int32Array(LEAST_SLOTS / 2);
  private ends = new Int32Array(LEAST_SLOTS / 2);
  private hashes = new Int32Array(LEAST_SLOTS / 2);
  private strings: Set<string> | undefined = undefined;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** Adds a text that stands between these quotes. @returns false when it is there already */
  add(start: number, end: number): boolean {
    if (this.strings !== undefined) return this.addString(this.strings, start, end);
    const { bytes, hashes, count } = this;
    let hash = 0x811c9dc5;
    for (let i = start; i < end; i++) {
      const byte = bytes[i] as number;
      if (byte === BACKSLASH) return this.addString(this.toStrings(), start, end);
      hash = Math.imul(hash ^ byte, 0x01000193);
    }
    // The last bytes reach the low bits only with that.
    hash ^= hash >>> 15;
    const last = this.slots.length - 1;
    let slot = hash & last;
    for (let place = this.slots[slot] as number; place !== 0; place = this.slots[slot] as number) {
      if (hashes[place - 1] === hash && this.isSame(place - 1, start, end)) return false;
      this.looks++;
      slot = (slot + 1) & last;
    }
    if (this.looks > MAX_LOOKS * count + LEAST_LOOKS) return this.addString(this.toStrings(), start, end);
    this.starts[count] = start;
    this.ends[count] = end;
    hashes[count] = hash;
    this.slots[slot] = count + 1;
    this.count = count + 1;
    if (this.count === hashes.length) this.grow();
    return true;
  }

  private addString(strings: Set<string>, start: number, end: number): boolean {
    const { size } = strings;
    return strings.add(this.read(start, end)).size > size;
  }

  private toStrings(): Set<string> {
    const strings = new Set<string>();
    for (let i = 0; i < this.count; i++) strings.add(this.read(this.starts[i] as number, this.ends[i] as number));
    this.strings = strings;
    return strings;
  }

  private read(start: number, end: number): string {
    const text = this.bytes.toString("utf8", start, end);
    return text.includes("\\") ? (JSON.parse(`"${text}"`) as string) : text;
  }

  private grow(): void {
    const size = this.count * 2;
    this.starts = enlarge(this.starts, size);
    this.ends = enlarge(this.ends, size);
    this.hashes = enlarge(this.hashes, size);
    const slots = new Int32Array(size * 2);
    const last = slots.length - 1;
    for (let i = 0; i < this.count; i++) {
      let slot = (this.hashes[i] as number) & last;
      for (; slots[slot] !== 0; slot = (slot + 1) & last) this.looks++;
      slots[slot] = i + 1;
    }
    this.slots = slots;
  }

  private isSame(place: number, start: number, end: number): boolean {
    const { bytes } = this;
    const from = this.starts[place] as number;
    const length = end - start;
    if ((this.ends[place] as number) - from !== length) return false;
    for (let i = 0; i < length; i++) if (bytes[from + i] !== bytes[start + i]) return false;
    return true;
  }
}

function enlarge(from: Int32Array, size: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(size);
  to.set(from);
  return to;
}

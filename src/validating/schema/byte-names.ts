import { ByteSet } from "./byte-set.ts";

/** So many names of one object are compared with each other; of more, a set is kept. */
const MAX_NAMES = 32;

/**
 * The names of the objects around the place where a scan stands, by where they stand in the text: telling two apart
 * costs no string of either. Each level of nesting has its own part of it.
 */
export class ByteNames {
  private readonly bytes: Buffer;
  private readonly starts: Int32Array;
  private readonly ends: Int32Array;
  private readonly keys: Int32Array;

  /** @param levels most levels of nesting */
  constructor(bytes: Buffer, levels: number) {
    this.bytes = bytes;
    this.starts = new Int32Array(levels * MAX_NAMES);
    this.ends = new Int32Array(levels * MAX_NAMES);
    this.keys = new Int32Array(levels * MAX_NAMES);
  }

  /** Adds a name as the `count`th one of its level. @returns false when it is there already */
  add(level: number, count: number, start: number, end: number): boolean {
    const { starts, ends, keys } = this;
    const first = level * MAX_NAMES;
    const next = first + count;
    const key = this.keyOf(start, end);
    for (let i = first; i < next; i++) if (keys[i] === key && this.isSame(i, start, end)) return false;
    starts[next] = start;
    ends[next] = end;
    keys[next] = key;
    return true;
  }

  /** The names of a level, once there are too many to compare each with each. */
  take(level: number, count: number): ByteSet | undefined {
    if (count < MAX_NAMES) return undefined;
    const set = new ByteSet(this.bytes);
    const first = level * MAX_NAMES;
    for (let i = first; i < first + count; i++) set.add(this.starts[i] as number, this.ends[i] as number);
    return set;
  }

  /** A number that is equal for equal names: their length and a few of their bytes. */
  private keyOf(start: number, end: number): number {
    const { bytes } = this;
    const length = end - start;
    if (length === 0) return 0;
    const middle = bytes[start + (length >> 1)] as number;
    return ((bytes[start] as number) << 24) ^ (middle << 16) ^ ((bytes[end - 1] as number) << 8) ^ length;
  }

  private isSame(index: number, start: number, end: number): boolean {
    const { bytes } = this;
    const from = this.starts[index] as number;
    const length = end - start;
    if ((this.ends[index] as number) - from !== length) return false;
    for (let i = 0; i < length; i++) if (bytes[from + i] !== bytes[start + i]) return false;
    return true;
  }
}

import type { StoredRecord } from "./answer.ts";

export interface HotRecord {
  readonly entry: number;
  readonly record: StoredRecord;
  readonly bytes: number;
}

/** What the objects of an unpacked record take beside its own bytes, with the header section as last sent. */
const OBJECTS_BYTES = 2048;
const MAX_RECORDS = 1024;

/** So many were found a moment ago, and are unpacked for longer when they are found again. */
const SEEN = 4096;

/** The records that are asked for most, unpacked: the first in is the first out, and soon in again when it is wanted. */
export class HotAnswers {
  private readonly limitBytes: number;
  private readonly byKey = new Map<string, HotRecord>();
  private readonly keys = new Map<number, string>();
  private readonly seen = new Uint32Array(SEEN);
  private used = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get bytes(): number {
    return this.used;
  }

  find(key: string): HotRecord | undefined {
    return this.byKey.get(key);
  }

  /** Whether it was found a moment ago already: one request for each of a million answers unpacks none for longer. */
  isWanted(entry: number): boolean {
    const place = entry % SEEN;
    if (this.seen[place] === entry + 1) return true;
    this.seen[place] = entry + 1;
    return false;
  }

  /** @param size of the record when packed */
  add(entry: number, record: StoredRecord, size: number): void {
    const bytes = size + OBJECTS_BYTES;
    if (bytes > this.limitBytes) return;
    for (const [oldest] of this.keys) {
      if (this.used + bytes <= this.limitBytes && this.keys.size < MAX_RECORDS) break;
      this.forget(oldest);
    }
    this.byKey.set(record.key, { entry, record, bytes });
    this.keys.set(entry, record.key);
    this.used += bytes;
  }

  forget(entry: number): void {
    const key = this.keys.get(entry);
    if (key === undefined) return;
    this.used -= (this.byKey.get(key) as HotRecord).bytes;
    this.keys.delete(entry);
    this.byKey.delete(key);
  }
}

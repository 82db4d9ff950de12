import type { StoredRecord } from "./answer.ts";
import { type Named, NameTable } from "./name-table.ts";

export interface HotRecord extends Named {
  readonly entry: number;
  readonly record: StoredRecord;
  readonly bytes: number;
  /** Its place among them. */
  readonly place: number;
}

/** What the objects of an unpacked record take beside its own bytes, which stand there twice: once as last sent. */
const OBJECTS_BYTES = 2048;
const MAX_RECORDS = 1024;
/** So many were found a moment ago, and are unpacked for longer when they are found again. */
const SEEN = 4096;

/** The records that are asked for most, unpacked: the first in is the first out, and soon in again when it is wanted. */
export class HotAnswers {
  private readonly limitBytes: number;
  private readonly byKey = new NameTable<HotRecord>();
  private readonly byEntry = new Map<number, HotRecord>();
  /** In a circle: the next place to be taken holds the first that came in. */
  private readonly places = new Array<HotRecord | undefined>(MAX_RECORDS).fill(undefined);
  private next = 0;
  private readonly seen = new Uint32Array(SEEN);
  private used = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get bytes(): number {
    return this.used;
  }

  /** @param hash of the key */
  find(hash: number, key: string): HotRecord | undefined {
    return this.byKey.find(hash, key);
  }

  /** Whether it was found a moment ago already: one request for each of a million answers unpacks none for longer. */
  isWanted(entry: number): boolean {
    const place = entry % SEEN;
    if (this.seen[place] === entry + 1) return true;
    this.seen[place] = entry + 1;
    return false;
  }

  /** @param hash of its key @param size of the record when packed */
  add(entry: number, hash: number, record: StoredRecord, size: number): void {
    const bytes = size * 2 + OBJECTS_BYTES;
    if (bytes > this.limitBytes) return;
    this.makePlace();
    while (this.used + bytes > this.limitBytes) {
      this.next = (this.next + 1) % MAX_RECORDS;
      this.makePlace();
    }
    const hot: HotRecord = { entry, hash, name: record.key, record, bytes, place: this.next };
    this.byKey.add(hot);
    this.byEntry.set(entry, hot);
    this.places[this.next] = hot;
    this.next = (this.next + 1) % MAX_RECORDS;
    this.used += bytes;
  }

  forget(entry: number): void {
    const hot = this.byEntry.get(entry);
    if (hot === undefined) return;
    this.used -= hot.bytes;
    this.places[hot.place] = undefined;
    this.byEntry.delete(entry);
    this.byKey.remove(hot);
  }

  private makePlace(): void {
    const first = this.places[this.next];
    if (first !== undefined) this.forget(first.entry);
  }
}

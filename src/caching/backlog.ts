import type { StoredRecord } from "./answer.ts";
import type { RecordSource } from "./store.ts";

/** So many are entered at once, at most. */
const MOST = 64;
const MARKS = 1024;

/** Who enters what waited, in the order in which it came. */
export interface Ledger {
  /** So many of these hashes are entered and touched next. */
  prepare(hashes: Uint32Array, count: number): void;
  enter(record: StoredRecord, hash: number): void;
  /** The entry may be gone by now: then its number has another hash, or none. */
  touch(entry: number, hash: number): void;
}

/**
 * What was put and used a moment ago, before it is entered into the tables. So who asked has the answer before it is
 * stored; and in a batch, code and data are in the processor's caches from the second record on, and the waits for memory
 * overlap: beside all else that a request does, each would find them cold.
 */
export class Backlog {
  /** Of the bodies that wait. */
  bytes = 0;
  private count = 0;
  private readonly limit: number;
  private readonly records = new Array<StoredRecord | RecordSource | undefined>(MOST).fill(undefined);
  private readonly hashes = new Uint32Array(MOST);
  private readonly entries = new Uint32Array(MOST);
  /** Of each record that waits, by the low bits of its hash. */
  private readonly marks = new Uint8Array(MARKS);

  /** @param limit how many may wait: one is entered late by as many others at most */
  constructor(limit: number) {
    this.limit = Math.max(1, Math.min(limit, MOST));
  }

  get isFull(): boolean {
    return this.count >= this.limit;
  }

  /** Worth entering as soon as there is time. */
  get isDue(): boolean {
    return this.count * 4 >= this.limit;
  }

  /** False: no record of that hash waits. */
  mayHold(hash: number): boolean {
    return this.marks[hash & (MARKS - 1)] !== 0;
  }

  /** Not while it is full. @param bytes of its body */
  addRecord(record: StoredRecord | RecordSource, bytes: number, hash: number): void {
    this.records[this.count] = record;
    this.hashes[this.count] = hash;
    this.count++;
    this.marks[hash & (MARKS - 1)] = 1;
    this.bytes += bytes;
  }

  /** Not while it is full. @param hash of its key */
  addUse(entry: number, hash: number): void {
    const last = this.count - 1;
    if (last >= 0 && this.records[last] === undefined && this.entries[last] === entry) return;
    this.entries[this.count] = entry;
    this.hashes[this.count] = hash;
    this.count++;
  }

  drainTo(ledger: Ledger): void {
    const { count, records, hashes, entries, marks } = this;
    this.count = 0;
    this.bytes = 0;
    if (count > 1) ledger.prepare(hashes, count);
    for (let i = 0; i < count; i++) {
      const record = records[i];
      const hash = hashes[i] as number;
      if (record === undefined) {
        ledger.touch(entries[i] as number, hash);
        continue;
      }
      records[i] = undefined;
      marks[hash & (MARKS - 1)] = 0;
      const made = record.kind === "source" ? record.makeRecord() : record;
      if (made !== undefined) ledger.enter(made, hash);
    }
  }
}

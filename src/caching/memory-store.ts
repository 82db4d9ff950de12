import { channels } from "../core/channels.ts";
import { type StoredAnswer, type StoredChunks, type StoredRecord, sizeOf } from "./answer.ts";
import { Backlog } from "./backlog.ts";
import { EntryTable, NONE } from "./entry-table.ts";
import { tellEvicted } from "./evicted.ts";
import { HotAnswers } from "./hot-answers.ts";
import { hashKey } from "./key-hash.ts";
import { MemoryBodies, own } from "./memory-bodies.ts";
import { OperationNames } from "./operation-names.ts";
import { findLayout, hasKey, isVariants, operationAt, readRecord, writeRecord } from "./packed-record.ts";
import { Segments } from "./segments.ts";
import type { BodyWriter, CacheStore, RecordSource } from "./store.ts";

export interface MemoryLimits {
  readonly bytes: number;
  readonly entries: number;
}

/** A record that is kept as it is: a large one, or one that cannot be packed. */
interface Apart {
  readonly record: StoredRecord;
  readonly bytes: number;
}

/** The part of what may be held that may be entered late: one in so many. */
const LATE_PART = 64;
const MAX_SEGMENT_BYTES = 256 * 1024;
/** What is larger is kept apart: the objects around it weigh little beside it. */
const MAX_PACKED_BYTES = 4096;
/** Place of an entry that is kept apart. */
const APART = 0xffff_fffe;

/**
 * Least recently used first out, bounded in bytes and in entries; the bytes are those of all its memory, bodies still
 * arriving included. Small records are packed side by side, the most wanted of them unpacked as well.
 */
export class MemoryStore implements CacheStore {
  readonly isImmediate = true;
  private readonly limits: MemoryLimits;
  private readonly names = new OperationNames();
  private readonly hotBytes: number;
  private readonly bodies = new MemoryBodies();
  private readonly backlog: Backlog;
  private isSettlingSoon = false;
  private table: EntryTable;
  private segments: Segments;
  private hot: HotAnswers;
  private apart = new Map<number, Apart>();
  /** Bytes of what is kept apart, without bodies in parts. */
  private apartBytes = 0;

  constructor(limits: MemoryLimits) {
    this.limits = limits;
    this.backlog = new Backlog(Math.floor(limits.entries / LATE_PART));
    this.hotBytes = Math.floor(limits.bytes / 16);
    this.table = this.createTable();
    this.segments = this.createSegments();
    this.hot = new HotAnswers(this.hotBytes);
  }

  get bytes(): number {
    this.settle();
    return this.table.bytes + this.segments.bytes + this.apartBytes + this.bodies.bytes + this.hot.bytes;
  }

  get entries(): number {
    this.settle();
    return this.table.count;
  }

  find(key: string, hash = hashKey(key)): StoredRecord | undefined {
    if (this.backlog.isFull || this.backlog.mayHold(hash)) this.settle();
    const hot = this.hot.find(hash, key);
    if (hot !== undefined) {
      this.backlog.addUse(hot.entry, hash);
      return hot.record;
    }
    const entry = this.table.find(hash, key);
    if (entry === NONE) return undefined;
    this.backlog.addUse(entry, hash);
    const place = this.table.place(entry);
    if (place === APART) return this.apart.get(entry)?.record;
    const size = this.table.size(entry);
    const at = this.segments.offsetOf(place);
    const found = readRecord(this.segments.memoryAt(place), at, size, key, this.names);
    if (!this.hot.isWanted(entry)) return found;
    const record = withOwnBody(found);
    this.hot.add(entry, hash, record, size);
    return record;
  }

  put(record: StoredRecord, _standInMs = 0, hash = hashKey(record.key)): void {
    this.putLater(record, record.kind === "answer" ? record.length : 0, hash);
  }

  putLater(record: StoredRecord | RecordSource, bytes: number, hash: number): void {
    const { backlog } = this;
    // A use may have been the last that had a place.
    if (backlog.isFull) this.settle();
    backlog.addRecord(record, bytes, hash);
    const isLarge = bytes > MAX_PACKED_BYTES || backlog.bytes > this.limits.bytes / LATE_PART;
    if (isLarge || backlog.isFull) this.settle();
    else if (backlog.isDue) this.settleSoon();
  }

  /** Whether there is room for the record once others have made it. */
  canHold(record: StoredRecord): boolean {
    const { bytes, entries } = this.limits;
    return entries > 0 && chunksOf(record) === undefined && sizeOf(record) <= bytes / 2;
  }

  prepare(hashes: Uint32Array, count: number): void {
    this.table.warm(hashes, count);
  }

  /** Enters a record that waited. */
  enter(record: StoredRecord, hash: number): void {
    const known = this.table.find(hash, record.key);
    if (known !== NONE) this.remove(known, chunksOf(record));
    const layout = findLayout(record, this.names);
    if (layout === undefined || layout.size > Math.min(MAX_PACKED_BYTES, this.segments.recordBytes)) {
      this.putApart(hash, record);
    } else if (this.makeRoom(layout.size, 0, 1)) {
      const entry = this.table.add(hash, APART, layout.size);
      const place = this.segments.add(entry, layout.size);
      this.table.setPlace(entry, place);
      writeRecord(layout, this.segments.memoryAt(place), this.segments.offsetOf(place));
    }
  }

  /** Makes the entry the most recently used, if it is there yet. */
  touch(entry: number, hash: number): void {
    if (this.table.has(entry, hash)) this.table.touch(entry);
  }

  delete(key: string): void {
    this.settle();
    const entry = this.table.find(hashKey(key), key);
    if (entry !== NONE) this.remove(entry);
  }

  clear(): void {
    this.settle();
    for (const { record, bytes } of this.apart.values()) {
      this.dropBody(record);
      this.apartBytes -= bytes;
    }
    this.apart = new Map();
    this.table = this.createTable();
    this.segments = this.createSegments();
    this.hot = new HotAnswers(this.hotBytes);
  }

  createBody(): BodyWriter {
    return this.bodies.create((bytes) => {
      this.settle();
      return this.makeRoom(0, bytes, 0);
    });
  }

  hold({ id }: StoredChunks): void {
    this.bodies.hold(id);
  }

  release({ id }: StoredChunks): void {
    this.bodies.release(id);
  }

  readChunk(chunks: StoredChunks, index: number): Buffer | undefined {
    return this.bodies.read(chunks.id, index);
  }

  close(): void {
    this.clear();
  }

  /** Once what came in with it is answered. */
  private settleSoon(): void {
    if (this.isSettlingSoon) return;
    this.isSettlingSoon = true;
    setImmediate(() => {
      this.isSettlingSoon = false;
      this.settle();
    });
  }

  private settle(): void {
    this.backlog.drainTo(this);
  }

  private putApart(hash: number, record: StoredRecord): void {
    const kept = withOwnBody(record);
    const chunks = chunksOf(kept);
    // Evicted since it was read: a record without its body would break off each answer made of it.
    if (chunks !== undefined && !this.bodies.keep(chunks.id)) return;
    const bytes = sizeOf(kept);
    if (!this.makeRoom(0, bytes, 1)) {
      this.dropBody(kept);
      return;
    }
    this.apartBytes += bytes;
    this.apart.set(this.table.add(hash, APART, 0), { record: kept, bytes });
  }

  /** @param keptBody what takes its place has that body as well: an answer that was confirmed */
  private remove(entry: number, keptBody?: StoredChunks): void {
    const place = this.table.place(entry);
    if (place === APART) {
      const { record, bytes } = this.apart.get(entry) as Apart;
      this.apart.delete(entry);
      this.apartBytes -= bytes;
      if (chunksOf(record)?.id !== keptBody?.id) this.dropBody(record);
    } else {
      this.hot.forget(entry);
      this.segments.remove(place, this.table.size(entry));
    }
    this.table.remove(entry);
  }

  /** Evicts, and closes holes, until so much fits. @returns false when it never will */
  private makeRoom(packed: number, apart: number, entries: number): boolean {
    const { table, segments, limits } = this;
    if (entries > limits.entries || packed + apart > limits.bytes - this.hotBytes) return false;
    for (;;) {
      const others = this.hotBytes + this.apartBytes + this.bodies.bytes + apart + table.bytesWith(entries);
      const isRoom = segments.hasRoom(packed, limits.bytes - others);
      if (isRoom && table.count + entries <= limits.entries) return true;
      if (!isRoom && (segments.compact() || this.bodies.dropLeaving())) continue;
      if (table.oldest === NONE) return false;
      this.evict(table.oldest);
    }
  }

  private evict(entry: number): void {
    if (channels.cache.hasSubscribers) this.tellEvicted(entry);
    this.remove(entry);
  }

  private tellEvicted(entry: number): void {
    const place = this.table.place(entry);
    if (place === APART) {
      const { record, bytes } = this.apart.get(entry) as Apart;
      const bodyBytes = chunksOf(record) === undefined ? 0 : (record as StoredAnswer).length;
      if (record.kind === "answer") tellEvicted(record.operationName, bytes + bodyBytes);
      return;
    }
    const memory = this.segments.memoryAt(place);
    const at = this.segments.offsetOf(place);
    if (isVariants(memory, at)) return;
    tellEvicted(this.names.at(operationAt(memory, at)).operationName, this.table.size(entry));
  }

  private createTable(): EntryTable {
    return new EntryTable((entry, key) => {
      const place = this.table.place(entry);
      if (place === APART) return this.apart.get(entry)?.record.key === key;
      return hasKey(this.segments.memoryAt(place), this.segments.offsetOf(place), key);
    });
  }

  private createSegments(): Segments {
    const segmentBytes = Math.min(MAX_SEGMENT_BYTES, Math.floor(this.limits.bytes / 16)) & ~3;
    return new Segments(segmentBytes, this.table);
  }

  private dropBody(record: StoredRecord): void {
    const chunks = chunksOf(record);
    if (chunks !== undefined) this.bodies.drop(chunks.id);
  }
}

const chunksOf = (record: StoredRecord): StoredChunks | undefined =>
  record.kind === "answer" ? record.chunks : undefined;

const withOwnBody = (record: StoredRecord): StoredRecord =>
  record.kind === "answer" && record.body !== null ? { ...record, body: own(record.body) } : record;

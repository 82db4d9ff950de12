import { randomUUID } from "node:crypto";
import { type StoredChunks, type StoredRecord, sizeOf } from "./answer.ts";
import type { BodyWriter, CacheStore } from "./store.ts";

export interface MemoryLimits {
  readonly bytes: number;
  readonly entries: number;
  /** Told of each record that made room for others. */
  readonly onEvict?: ((record: StoredRecord, bytes: number) => void) | undefined;
}

interface Slot {
  readonly record: StoredRecord;
  readonly bytes: number;
  /** The count of insertions when it was last moved to the young end. */
  touchedAt: number;
}

/** Least recently used first out, bounded in bytes and in entries; bodies still arriving count as well. */
export class MemoryStore implements CacheStore {
  private readonly limits: MemoryLimits;
  private readonly slots = new Map<string, Slot>();
  private readonly bodies = new Map<string, Buffer[]>();
  private insertions = 0;
  private used = 0;

  constructor(limits: MemoryLimits) {
    this.limits = limits;
  }

  get bytes(): number {
    return this.used;
  }

  get entries(): number {
    return this.slots.size;
  }

  find(key: string): StoredRecord | undefined {
    const slot = this.slots.get(key);
    if (slot === undefined) return undefined;
    // Moving it to the young end costs more than finding it: an entry that is young already stays where it is.
    if (this.insertions - slot.touchedAt > this.slots.size >> 2) {
      this.slots.delete(key);
      this.slots.set(key, slot);
      slot.touchedAt = this.insertions;
    }
    return slot.record;
  }

  put(record: StoredRecord): void {
    this.delete(record.key);
    const kept = compact(record);
    const bytes = sizeOf(kept);
    const isRoom = this.makeRoom(bytes, 1);
    // Its parts were counted when they arrived: from here they belong to the record, and go with it.
    const chunkBytes = kept.kind === "answer" && kept.chunks !== undefined ? kept.length : 0;
    if (!isRoom) {
      this.dropBody(kept);
      this.used -= chunkBytes;
      return;
    }
    this.used += bytes;
    this.insertions++;
    this.slots.set(kept.key, { record: kept, bytes: bytes + chunkBytes, touchedAt: this.insertions });
  }

  delete(key: string): void {
    const slot = this.slots.get(key);
    if (slot === undefined) return;
    this.slots.delete(key);
    this.used -= slot.bytes;
    this.dropBody(slot.record);
  }

  clear(): void {
    for (const key of [...this.slots.keys()]) this.delete(key);
  }

  createBody(): BodyWriter {
    const id = randomUUID();
    const chunks: Buffer[] = [];
    let bytes = 0;
    const discard = (): void => {
      this.used -= bytes;
      bytes = 0;
      chunks.length = 0;
    };
    return {
      write: (chunk) => {
        if (!this.makeRoom(chunk.length, 0)) {
          discard();
          return false;
        }
        this.used += chunk.length;
        bytes += chunk.length;
        chunks.push(own(chunk));
        return true;
      },
      finish: () => {
        this.bodies.set(id, chunks);
        return { id, count: chunks.length };
      },
      discard,
    };
  }

  readChunk(chunks: StoredChunks, index: number): Buffer | undefined {
    return this.bodies.get(chunks.id)?.[index];
  }

  close(): void {
    this.clear();
  }

  /** Evicts until so much fits. @returns false when it never will */
  private makeRoom(bytes: number, entries: number): boolean {
    const { limits } = this;
    if (bytes > limits.bytes || entries > limits.entries) return false;
    for (const [key, slot] of this.slots) {
      if (this.used + bytes <= limits.bytes && this.slots.size + entries <= limits.entries) return true;
      this.delete(key);
      limits.onEvict?.(slot.record, slot.bytes);
    }
    return this.used + bytes <= limits.bytes;
  }

  private dropBody(record: StoredRecord): void {
    if (record.kind === "answer" && record.chunks !== undefined) this.bodies.delete(record.chunks.id);
  }
}

const compact = (record: StoredRecord): StoredRecord =>
  record.kind === "answer" && record.body !== null ? { ...record, body: own(record.body) } : record;

/** A part of a larger buffer keeps all of that alive: what is kept for long is copied out. */
function own(buffer: Buffer): Buffer {
  if (buffer.buffer.byteLength <= buffer.length + 1024) return buffer;
  const copy = Buffer.allocUnsafeSlow(buffer.length);
  buffer.copy(copy);
  return copy;
}

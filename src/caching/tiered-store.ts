import type { StoredChunks, StoredRecord } from "./answer.ts";
import { hashKey } from "./key-hash.ts";
import type { MemoryStore } from "./memory-store.ts";
import type { BodyWriter, CacheStore, Later } from "./store.ts";

/** Memory in front of a store that others share: what is small and wanted is in both, what is large only behind. */
export class TieredStore implements CacheStore {
  readonly isImmediate: boolean;
  private readonly memory: MemoryStore;
  private readonly shared: CacheStore;

  constructor(memory: MemoryStore, shared: CacheStore) {
    this.memory = memory;
    this.shared = shared;
    this.isImmediate = shared.isImmediate;
  }

  get entries(): number | undefined {
    return this.shared.entries ?? this.memory.entries;
  }

  get bytes(): number | undefined {
    return this.shared.bytes ?? this.memory.bytes;
  }

  find(key: string, hash = hashKey(key)): Later<StoredRecord | undefined> {
    const near = this.memory.find(key, hash);
    if (near !== undefined) return near;
    const far = this.shared.find(key, hash);
    if (far instanceof Promise) return far.then((record) => this.promote(record, hash));
    return this.promote(far, hash);
  }

  put(record: StoredRecord, standInMs: number, hash?: number): Later<void> {
    this.promote(record, hash);
    const stored = this.shared.put(record, standInMs, hash);
    return this.memory.canHold(record) ? undefined : stored;
  }

  delete(key: string): Later<void> {
    this.memory.delete(key);
    return this.shared.delete(key);
  }

  clear(): Later<void> {
    this.memory.clear();
    return this.shared.clear();
  }

  createBody(): BodyWriter {
    return this.shared.createBody();
  }

  readChunk(chunks: StoredChunks, index: number): Later<Buffer | undefined> {
    return this.shared.readChunk(chunks, index);
  }

  hold(chunks: StoredChunks): void {
    this.shared.hold(chunks);
  }

  release(chunks: StoredChunks): void {
    this.shared.release(chunks);
  }

  close(): Later<void> {
    this.memory.close();
    return this.shared.close();
  }

  private promote(record: StoredRecord | undefined, hash?: number): StoredRecord | undefined {
    if (record === undefined) return undefined;
    // The older one must not stay in front of what has no place here.
    if (record.kind === "answer" && record.chunks !== undefined) this.memory.delete(record.key);
    else this.memory.put(record, 0, hash);
    return record;
  }
}

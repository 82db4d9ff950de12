import type { StoredChunks, StoredRecord } from "./answer.ts";
import type { Purge } from "./purges.ts";

export type Later<T> = T | Promise<T>;

/**
 * Where records are kept. A store that is slow or gone finds nothing and keeps nothing: it never fails a request.
 * `test/conformance/cache-store.ts` is one suite for all of them.
 */
export interface CacheStore {
  /** What it holds now; undefined where it cannot tell. */
  readonly entries: number | undefined;
  readonly bytes: number | undefined;
  find(key: string): Later<StoredRecord | undefined>;
  /**
   * @param record whose body and header list may change once this has returned: what is to be kept is copied by then
   * @param keepMs after which nobody will want it
   */
  put(record: StoredRecord, keepMs: number): Later<void>;
  delete(key: string): Later<void>;
  clear(): Later<void>;
  /** Takes a body that is too large to be held whole, part by part. */
  createBody(): BodyWriter;
  /** @returns undefined when it has been evicted since */
  readChunk(chunks: StoredChunks, index: number): Later<Buffer | undefined>;
  close(): Later<void>;
}

export interface BodyWriter {
  /** @returns false: there is no room, and nothing of it is kept */
  write(chunk: Buffer): Later<boolean>;
  /** Nothing can find the body before its record is put. */
  finish(): Later<StoredChunks | undefined>;
  discard(): void;
}

/** Purges in the one order that all who share a store agree on. */
export interface PurgeLog {
  /** @returns its place; undefined: not now, try again later */
  append(purge: Purge): Later<number | undefined>;
  /** Calls back with every purge after that place which is known here by now. */
  since(seq: number, each: (purge: Purge, seq: number) => void): void;
}

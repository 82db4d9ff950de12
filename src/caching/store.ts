import type { StoredChunks, StoredRecord } from "./answer.ts";

export type Later<T> = T | Promise<T>;

/**
 * Where records are kept. A store that is slow or gone finds nothing and keeps nothing: it never fails a request.
 * `test/conformance/cache-store.ts` is one suite for all of them.
 */
export interface CacheStore {
  find(key: string): Later<StoredRecord | undefined>;
  /** @param keepMs after which nobody will want it */
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

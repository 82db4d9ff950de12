import type { StoredChunks, StoredRecord } from "./answer.ts";
import type { Purge } from "./purges.ts";

export type Later<T> = T | Promise<T>;

/**
 * Where records are kept. A store that is slow or gone finds nothing and keeps nothing: it never fails a request.
 * `test/conformance/cache-store.ts` is one suite for all of them.
 */
export interface CacheStore {
  /** What is asked for is told at once: nobody else who asks comes in between. */
  readonly isImmediate: boolean;
  /** What it holds now; undefined where it cannot tell. */
  readonly entries: number | undefined;
  readonly bytes: number | undefined;
  /** @param hash of the key by `hashKey`, from who has it already */
  find(key: string, hash?: number): Later<StoredRecord | undefined>;
  /**
   * @param record that nobody changes any more, nor its header list, nor its body
   * @param standInMs for how long after its time it may still stand in for its upstream
   * @param hash of its key by `hashKey`, from who has it already
   * @returns once it can be found here
   */
  put(record: StoredRecord, standInMs: number, hash?: number): Later<void>;
  /**
   * Of a store where what is put can be found at once, whether or not its record has been made by then.
   * @param bytes of its body
   * @param hash of its key by `hashKey`
   */
  putLater?(source: RecordSource, bytes: number, hash: number): void;
  delete(key: string): Later<void>;
  clear(): Later<void>;
  /** Takes a body that is too large to be held whole, part by part. */
  createBody(): BodyWriter;
  /** @returns undefined when it has been evicted since */
  readChunk(chunks: StoredChunks, index: number): Later<Buffer | undefined>;
  /** A body is being sent: it outlives its record until it is released, as long as there is room and no other process takes it. */
  hold(chunks: StoredChunks): void;
  release(chunks: StoredChunks): void;
  close(): Later<void>;
}

/** What a record is made of when it is entered, among others like it: see `Backlog`. */
export interface RecordSource {
  readonly kind: "source";
  /** @returns undefined when there is nothing to be stored after all */
  makeRecord(): StoredRecord | undefined;
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

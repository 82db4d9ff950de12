import type { HeaderList } from "../core/headers.ts";
import type { Freshness } from "./freshness.ts";

/** A stored answer. A validation does not change it: it makes a new one. */
export interface StoredAnswer {
  readonly kind: "answer";
  /** Where it stands in the store. */
  readonly key: string;
  /**
   * Host and path: what an unsafe request invalidates, whatever the query and the consumer. Undefined where the key says
   * it: see `resourceIn`.
   */
  readonly resource: string | undefined;
  /** Its id, which a purge may name. */
  readonly operation: string;
  /** Method and public template, as metrics name it. */
  readonly operationName: string;
  readonly tags: readonly string[];
  readonly status: number;
  /** Without `Age`; with `Date` and, when there is a body, `Content-Length`. */
  readonly headers: HeaderList;
  readonly body: Buffer | null;
  /** In place of `body`, for what is too large to be held whole. */
  readonly chunks: StoredChunks | undefined;
  /** Bytes of the body. */
  readonly length: number;
  readonly freshness: Freshness;
  /** Of an error: what the request looked like that caused it; reused only for requests that look the same. */
  readonly shape: string;
  /** The counts of purges, of all who share the store and of this process, up to which it is known to hold. */
  seq: number;
  /** -1 when it has just come from a shared store. Never stored. */
  localSeq: number;
  /** Its header section as last sent: it changes once a second, with the age. Never stored. */
  view: AnswerView | undefined;
}

export interface AnswerView {
  readonly ageSeconds: number;
  readonly cacheStatus: string;
  readonly headers: HeaderList;
  /** Those of them that a 304 has, once one was sent. */
  notModified: HeaderList | undefined;
  /** What clients asked with last who had it already, as they wrote it: nearly all write the same. */
  hadTags: string | undefined;
  hadSince: string | undefined;
}

export interface StoredChunks {
  /** Unique: never written twice. */
  readonly id: string;
  readonly count: number;
}

/** Stands under the key of a resource that has variants and tells how to find them. RFC 9111 §4.1. */
export interface VariantIndex {
  readonly kind: "variants";
  readonly key: string;
  /** Part of the variants' keys: without the index, none of them is found. */
  readonly generation: string;
  /** Lists of selecting fields as they were met, the latest first. Lower case, sorted. */
  readonly selectors: readonly (readonly string[])[];
}

export type StoredRecord = StoredAnswer | VariantIndex;

/** Bytes a record takes, with its share of the structures around it. */
export function sizeOf(record: StoredRecord): number {
  if (record.kind === "variants") return OVERHEAD_BYTES + record.key.length;
  let bytes = OVERHEAD_BYTES + record.key.length + (record.resource?.length ?? 0) + (record.body?.length ?? 0);
  for (const text of record.headers.toFlat()) bytes += text.length;
  for (const tag of record.tags) bytes += tag.length;
  return bytes;
}
const OVERHEAD_BYTES = 256;

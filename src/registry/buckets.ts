export interface Bucket {
  tokens: number;
  atMs: number;
}

const MOST_YOUNG = 5_000;

/** Token buckets of callers, bounded: those that were not asked for while as many others came are forgotten together. */
export class Buckets {
  private young = new Map<string, Bucket>();
  private old: ReadonlyMap<string, Bucket> = new Map();

  /** @param full what a caller that is not known has */
  of(caller: string, full: number, nowMs: number): Bucket {
    let bucket = this.young.get(caller);
    if (bucket !== undefined) return bucket;
    bucket = this.old.get(caller) ?? { tokens: full, atMs: nowMs };
    // A map whose oldest entry is taken out for each new one is walked over its holes; two maps in turn have none.
    if (this.young.size >= MOST_YOUNG) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(caller, bucket);
    return bucket;
  }
}

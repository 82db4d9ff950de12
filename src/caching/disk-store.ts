import { randomUUID } from "node:crypto";
import { type EmbeddedStore, openEmbeddedStore, type Table } from "../storage/embedded-store.ts";
import type { StoredAnswer, StoredChunks, StoredRecord } from "./answer.ts";
import { digestOf, findInFrame, toFrame } from "./frame.ts";
import type { Purge } from "./purges.ts";
import type { BodyWriter, CacheStore, PurgeLog } from "./store.ts";

export interface DiskLimits {
  readonly folder: string;
  readonly bytes: number;
}

/** What the first in, first out order remembers of an entry. */
interface Place {
  readonly digest: string;
  readonly bytes: number;
  readonly chunks: StoredChunks | undefined;
}

/** Answers on disk (LMDB): shared by the processes of one machine, there again after a restart. The oldest make room. */
export class DiskStore implements CacheStore, PurgeLog {
  private readonly limits: DiskLimits;
  private readonly store: EmbeddedStore;
  private readonly frames: Table<Buffer, string>;
  private readonly chunks: Table<Buffer, [string, number]>;
  private readonly places: Table<Place, number>;
  private readonly placeOf: Table<number, string>;
  private readonly counts: Table<number, "bytes" | "place" | "purge">;
  private readonly log: Table<Purge, number>;

  constructor(limits: DiskLimits) {
    this.limits = limits;
    this.store = openEmbeddedStore({ folder: limits.folder, isDurable: false });
    this.frames = this.store.table("frames", "binary");
    this.chunks = this.store.table("chunks", "binary");
    this.places = this.store.table("places", "json");
    this.placeOf = this.store.table("place-of", "json");
    this.counts = this.store.table("counts", "json");
    this.log = this.store.table("purges", "json");
  }

  get entries(): number {
    return this.places.getCount();
  }

  get bytes(): number {
    return this.counts.get("bytes") ?? 0;
  }

  find(key: string): StoredRecord | undefined {
    const frame = this.frames.get(digestOf(key));
    return frame === undefined ? undefined : findInFrame(frame, key, Date.now());
  }

  async put(record: StoredRecord, keepMs: number): Promise<void> {
    const digest = digestOf(record.key);
    const frame = toFrame(record, Date.now() + keepMs);
    const chunks = record.kind === "answer" ? record.chunks : undefined;
    const bytes = frame.length + (chunks === undefined ? 0 : (record as StoredAnswer).length);
    await this.store.write(() => {
      this.remove(digest);
      if (bytes > this.limits.bytes) return this.removeChunks(chunks);
      const place = (this.counts.get("place") ?? 0) + 1;
      this.counts.putSync("place", place);
      this.frames.putSync(digest, frame);
      this.places.putSync(place, { digest, bytes, chunks });
      this.placeOf.putSync(digest, place);
      this.makeRoom(bytes);
    });
  }

  async delete(key: string): Promise<void> {
    await this.store.write(() => this.remove(digestOf(key)));
  }

  async clear(): Promise<void> {
    await this.store.write(() => {
      for (const table of [this.frames, this.chunks, this.places, this.placeOf]) table.clearSync();
      this.counts.putSync("bytes", 0);
    });
  }

  createBody(): BodyWriter {
    const id = randomUUID();
    let count = 0;
    return {
      write: async (chunk) => {
        const index = count++;
        await this.chunks.put([id, index], chunk);
        return true;
      },
      finish: () => ({ id, count }),
      discard: () => {
        void this.store.write(() => this.removeChunks({ id, count }));
      },
    };
  }

  readChunk({ id }: StoredChunks, index: number): Buffer | undefined {
    return this.chunks.get([id, index]);
  }

  append(purge: Purge): number {
    return this.store.writeNow(() => {
      const seq = (this.counts.get("purge") ?? 0) + 1;
      this.counts.putSync("purge", seq);
      this.log.putSync(seq, purge);
      if (seq > LOG_LENGTH) this.log.removeSync(seq - LOG_LENGTH);
      return seq;
    });
  }

  since(seq: number, each: (purge: Purge, seq: number) => void): void {
    if ((this.counts.get("purge") ?? 0) <= seq) return;
    let next = seq + 1;
    for (const { key, value } of this.log.getRange({ start: next })) {
      // Some are no longer in the log: everything as old as they are goes.
      if (key > next) each({ kind: "all", value: "", soft: false }, key - 1);
      each(value, key);
      next = key + 1;
    }
  }

  async close(): Promise<void> {
    await this.store.close();
  }

  private makeRoom(added: number): void {
    let bytes = (this.counts.get("bytes") ?? 0) + added;
    this.counts.putSync("bytes", bytes);
    if (bytes <= this.limits.bytes) return;
    for (const { value } of [...this.places.getRange({ limit: 1000 })]) {
      if (bytes <= this.limits.bytes) return;
      this.remove(value.digest);
      bytes -= value.bytes;
    }
  }

  private remove(digest: string): void {
    const place = this.placeOf.get(digest);
    if (place === undefined) return;
    const known = this.places.get(place);
    this.frames.removeSync(digest);
    this.placeOf.removeSync(digest);
    this.places.removeSync(place);
    this.counts.putSync("bytes", Math.max(0, (this.counts.get("bytes") ?? 0) - (known?.bytes ?? 0)));
    this.removeChunks(known?.chunks);
  }

  private removeChunks(chunks: StoredChunks | undefined): void {
    if (chunks === undefined) return;
    for (let i = 0; i < chunks.count; i++) this.chunks.removeSync([chunks.id, i]);
  }
}

const LOG_LENGTH = 10_000;

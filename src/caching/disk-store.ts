import { randomUUID } from "node:crypto";
import { channels, type Fault } from "../core/channels.ts";
import { type EmbeddedStore, openEmbeddedStore, type Table } from "../storage/embedded-store.ts";
import type { StoredAnswer, StoredChunks, StoredRecord } from "./answer.ts";
import { tellEvicted } from "./evicted.ts";
import { digestOf, findInFrame, toFrame } from "./frame.ts";
import { keepMs } from "./keep-time.ts";
import { LooseBodies } from "./loose-bodies.ts";
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
  /** Whose answer it is, as metrics name it; undefined for what is none. */
  readonly operation?: string | undefined;
}

/**
 * Answers on disk (LMDB): shared by the processes of one machine, there again after a restart. The oldest make room.
 * A disk that is full or gone costs misses, never an error.
 */
export class DiskStore implements CacheStore, PurgeLog {
  readonly isImmediate = true;
  private readonly limits: DiskLimits;
  private readonly store: EmbeddedStore;
  private readonly frames: Table<Buffer, string>;
  private readonly chunks: Table<Buffer, [string, number]>;
  private readonly places: Table<Place, number>;
  private readonly placeOf: Table<number, string>;
  private readonly counts: Table<number, "bytes" | "place" | "purge">;
  private readonly log: Table<Purge, number>;
  /** Bodies whose record is not there yet, by id, and since when: a process may be killed between the two. */
  private readonly unfinished: Table<number, string>;
  /** Bodies that this process is sending, by id, and how many times. */
  private readonly readers = new Map<string, number>();
  /** Those of them whose record has gone. */
  private readonly leaving = new Map<string, StoredChunks>();
  /** Of this process; of others nothing is known until they have a record. */
  private readonly loose = new LooseBodies();
  private sweptAtMs = 0;
  private toldAtMs = 0;

  constructor(limits: DiskLimits) {
    this.limits = limits;
    this.store = openEmbeddedStore({ folder: limits.folder, isDurable: false });
    this.frames = this.store.table("frames", "binary");
    this.chunks = this.store.table("chunks", "binary");
    this.places = this.store.table("places", "json");
    this.placeOf = this.store.table("place-of", "json");
    this.counts = this.store.table("counts", "json");
    this.log = this.store.table("purges", "json");
    this.unfinished = this.store.table("unfinished", "json");
  }

  get entries(): number {
    return this.places.getCount();
  }

  get bytes(): number {
    return (this.counts.get("bytes") ?? 0) + this.loose.bytes;
  }

  find(key: string): StoredRecord | undefined {
    const frame = this.tryNow(() => this.frames.get(digestOf(key)));
    return frame === undefined ? undefined : findInFrame(frame, key, Date.now());
  }

  async put(record: StoredRecord, standInMs: number): Promise<void> {
    const digest = digestOf(record.key);
    const frame = toFrame(record, Date.now() + keepMs(record, standInMs));
    const { chunks, operationName: operation } = record.kind === "answer" ? record : NO_ANSWER;
    const bytes = frame.length + (chunks === undefined ? 0 : (record as StoredAnswer).length);
    if (chunks !== undefined) this.loose.delete(chunks.id);
    await this.write(() => {
      if (chunks !== undefined) {
        this.unfinished.removeSync(chunks.id);
        this.leaving.delete(chunks.id);
      }
      this.remove(digest, chunks);
      this.sweep();
      // Evicted since it was read: a record without its body would break off each answer made of it.
      if (chunks !== undefined && !this.chunks.doesExist([chunks.id, 0])) return;
      if (bytes > this.limits.bytes) return this.removeChunks(chunks, bytes);
      const place = (this.counts.get("place") ?? 0) + 1;
      this.counts.putSync("place", place);
      this.frames.putSync(digest, frame);
      this.places.putSync(place, { digest, bytes, chunks, operation });
      this.placeOf.putSync(digest, place);
      this.makeRoom(bytes);
    });
  }

  async delete(key: string): Promise<void> {
    await this.write(() => this.remove(digestOf(key)));
  }

  async clear(): Promise<void> {
    await this.write(() => {
      for (const table of [this.frames, this.chunks, this.places, this.placeOf, this.unfinished]) table.clearSync();
      this.counts.putSync("bytes", 0);
    });
  }

  createBody(): BodyWriter {
    const id = randomUUID();
    let count = 0;
    // Each is done after the ones before.
    let latest = Promise.resolve(true);
    const discard = (): void => {
      this.loose.delete(id);
      void this.write(() => this.removeChunks({ id, count }));
    };
    return {
      write: (chunk) => {
        // What is being written could fill the disk before any of it has a record.
        if (this.loose.bytes + chunk.length > this.limits.bytes) return false;
        this.loose.add(id, chunk.length);
        const index = count++;
        latest = this.write(() => {
          if (index === 0) this.unfinished.putSync(id, Date.now());
          this.chunks.putSync([id, index], chunk);
          this.makeRoom(0);
        });
        return latest;
      },
      // Who waited for the answer reads it at once: an end that came before its last part was written broke it off.
      finish: async () => {
        if (await latest) return { id, count };
        discard();
        return undefined;
      },
      discard,
    };
  }

  readChunk({ id }: StoredChunks, index: number): Buffer | undefined {
    return this.tryNow(() => this.chunks.get([id, index]));
  }

  hold({ id }: StoredChunks): void {
    this.readers.set(id, (this.readers.get(id) ?? 0) + 1);
  }

  release({ id }: StoredChunks): void {
    const left = (this.readers.get(id) ?? 1) - 1;
    if (left > 0) {
      this.readers.set(id, left);
      return;
    }
    this.readers.delete(id);
    const chunks = this.leaving.get(id);
    if (chunks === undefined) return;
    this.loose.delete(id);
    void this.write(() => this.removeChunks(chunks));
  }

  append(purge: Purge): number | undefined {
    return this.tryNow(() =>
      this.store.writeNow(() => {
        const seq = (this.counts.get("purge") ?? 0) + 1;
        this.counts.putSync("purge", seq);
        this.log.putSync(seq, purge);
        if (seq > LOG_LENGTH) this.log.removeSync(seq - LOG_LENGTH);
        return seq;
      }),
    );
  }

  since(seq: number, each: (purge: Purge, seq: number) => void): void {
    if ((this.tryNow(() => this.counts.get("purge")) ?? 0) <= seq) return;
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
    if (added > 0) this.counts.putSync("bytes", bytes);
    if (bytes + this.loose.bytes <= this.limits.bytes) return;
    for (const { value } of [...this.places.getRange({ limit: 1000 })]) {
      if (bytes + this.loose.bytes <= this.limits.bytes) return;
      this.remove(value.digest);
      bytes -= value.bytes;
      if (value.operation !== undefined) tellEvicted(value.operation, value.bytes);
    }
  }

  /** @param keptBody what takes its place has that body as well: an answer that was confirmed */
  private remove(digest: string, keptBody?: StoredChunks): void {
    const place = this.placeOf.get(digest);
    if (place === undefined) return;
    const known = this.places.get(place);
    this.frames.removeSync(digest);
    this.placeOf.removeSync(digest);
    this.places.removeSync(place);
    this.counts.putSync("bytes", Math.max(0, (this.counts.get("bytes") ?? 0) - (known?.bytes ?? 0)));
    if (keptBody === undefined || known?.chunks?.id !== keptBody.id) this.removeChunks(known?.chunks, known?.bytes);
  }

  /** @param bytes what they take, where that is counted with a record now */
  private removeChunks(chunks: StoredChunks | undefined, bytes = 0): void {
    if (chunks === undefined) return;
    if (this.readers.has(chunks.id)) {
      this.leaving.set(chunks.id, chunks);
      this.loose.add(chunks.id, bytes);
      this.unfinished.putSync(chunks.id, Date.now());
      return;
    }
    this.leaving.delete(chunks.id);
    this.loose.delete(chunks.id);
    this.unfinished.removeSync(chunks.id);
    for (let i = 0; i < chunks.count; i++) this.chunks.removeSync([chunks.id, i]);
  }

  /** Takes away what killed processes have left: nobody takes that long to write a body. */
  private sweep(): void {
    const nowMs = Date.now();
    if (nowMs - this.sweptAtMs < SWEEP_MS) return;
    this.sweptAtMs = nowMs;
    for (const { key: id, value: sinceMs } of [...this.unfinished.getRange()]) {
      if (nowMs - sinceMs < SWEEP_MS) continue;
      for (const key of [...this.chunks.getKeys({ start: [id, 0], end: [id, MAX_COUNT] })]) this.chunks.removeSync(key);
      this.unfinished.removeSync(id);
    }
  }

  /** @returns whether it has been written */
  private async write(change: () => void): Promise<boolean> {
    try {
      await this.store.write(change);
      return true;
    } catch (error) {
      this.tell(error);
      return false;
    }
  }

  private tryNow<T>(step: () => T): T | undefined {
    try {
      return step();
    } catch (error) {
      this.tell(error);
      return undefined;
    }
  }

  /** A full disk fails every write: it is told of now and then. */
  private tell(error: unknown): void {
    const nowMs = Date.now();
    if (nowMs - this.toldAtMs < TELL_MS || !channels.fault.hasSubscribers) return;
    this.toldAtMs = nowMs;
    channels.fault.publish({ exchange: undefined, error } satisfies Fault);
  }
}

const NO_ANSWER = { chunks: undefined, operationName: undefined };
const LOG_LENGTH = 10_000;
const SWEEP_MS = 3_600_000;
const TELL_MS = 10_000;
const MAX_COUNT = 2 ** 31;

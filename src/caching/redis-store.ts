import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import type { StoredChunks, StoredRecord } from "./answer.ts";
import { digestOf, findInFrame, toFrame } from "./frame.ts";
import { keepMs } from "./keep-time.ts";
import type { RedisPurges } from "./redis-purges.ts";
import type { BodyWriter, CacheStore } from "./store.ts";

/** How long Redis is left alone after it was too slow: each request that waits for it is a request made slower. */
const REST_MS = 1000;
const PREFIX = "portico:cache:";

/** Answers in Redis: shared by many machines. A Redis that is slow or gone costs a miss, never an error. */
export class RedisStore implements CacheStore {
  readonly isImmediate = false;
  /** Others may live in the same Redis. */
  readonly entries = undefined;
  readonly bytes = undefined;
  private readonly redis: Redis;
  private readonly purges: RedisPurges;
  private restUntilMs = 0;

  /** @param purges nothing is taken from Redis while some may have been missed */
  constructor(redis: Redis, purges: RedisPurges) {
    this.redis = redis;
    this.purges = purges;
  }

  async find(key: string): Promise<StoredRecord | undefined> {
    if (!this.purges.isCaughtUp) return undefined;
    const frame = await this.ask(() => this.redis.getBuffer(PREFIX + digestOf(key)));
    return frame == null ? undefined : findInFrame(frame, key, Date.now());
  }

  async put(record: StoredRecord, standInMs: number): Promise<void> {
    const leftMs = Math.ceil(keepMs(record, standInMs));
    const frame = toFrame(record, Date.now() + leftMs);
    await this.ask(() => this.redis.set(PREFIX + digestOf(record.key), frame, "PX", leftMs));
    if (record.kind !== "answer" || record.chunks === undefined) return;
    const { id, count } = record.chunks;
    for (let i = 0; i < count; i++) await this.ask(() => this.redis.pexpire(chunkKey(id, i), leftMs));
  }

  async delete(key: string): Promise<void> {
    await this.ask(() => this.redis.del(PREFIX + digestOf(key)));
  }

  /** Only what is Portico's: others may live in the same Redis. */
  async clear(): Promise<void> {
    let cursor = "0";
    do {
      const found = await this.ask(() => this.redis.scan(cursor, "MATCH", `${PREFIX}*`, "COUNT", 1000));
      if (found === undefined) return;
      const [next, keys] = found;
      cursor = next;
      if (keys.length > 0) await this.ask(() => this.redis.unlink(keys));
    } while (cursor !== "0");
  }

  createBody(): BodyWriter {
    const id = randomUUID();
    let count = 0;
    let isWhole = true;
    const discard = (): void => {
      const keys = Array.from({ length: count }, (_, i) => chunkKey(id, i));
      if (keys.length > 0) void this.ask(() => this.redis.unlink(keys));
    };
    return {
      write: async (chunk) => {
        const name = chunkKey(id, count++);
        isWhole = (await this.ask(() => this.redis.set(name, chunk, "EX", WRITING_SECONDS))) === "OK" && isWhole;
        return isWhole;
      },
      finish: () => (isWhole ? { id, count } : undefined),
      discard,
    };
  }

  async readChunk({ id }: StoredChunks, index: number): Promise<Buffer | undefined> {
    return (await this.ask(() => this.redis.getBuffer(chunkKey(id, index)))) ?? undefined;
  }

  /** What loses its record stays until its time is over. */
  hold(): void {}

  release(): void {}

  close(): void {
    this.purges.close();
    this.redis.disconnect();
  }

  /** @returns undefined for whatever goes wrong */
  private async ask<T>(command: () => Promise<T>): Promise<T | undefined> {
    if (this.redis.status !== "ready" || this.restUntilMs > Date.now()) return undefined;
    try {
      return await command();
    } catch (error) {
      if ((error as Error).message.includes("timed out")) this.restUntilMs = Date.now() + REST_MS;
      return undefined;
    }
  }
}

const chunkKey = (id: string, index: number): string => `${PREFIX}body:${id}:${index}`;
/** A body whose record never comes goes by itself. */
const WRITING_SECONDS = 300;

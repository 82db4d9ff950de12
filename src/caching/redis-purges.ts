import type { Redis } from "ioredis";
import type { Purge } from "./purges.ts";
import type { PurgeLog } from "./store.ts";

const COUNT = "portico:purges:count";
const LOG = "portico:purges:log";
const CHANNEL = "portico:purges";
const LOG_LENGTH = 10_000;

/** Takes the next place, above all that the caller knows of, notes the purge there, and tells everybody. */
const APPEND = `
local seq = math.max(redis.call('INCR', KEYS[1]), tonumber(ARGV[2]) + 1)
redis.call('SET', KEYS[1], seq)
redis.call('ZADD', KEYS[2], seq, seq .. '\\n' .. ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -${LOG_LENGTH + 1})
redis.call('PUBLISH', '${CHANNEL}', seq .. '\\n' .. ARGV[1])
return seq`;

/** What is told by Redis can be lost, and reading it may take too long: the log is looked at as well. */
const LOOK_MS = 1000;

/** Purges of all machines, told by Redis as they are made and read again after each time it was away. */
export class RedisPurges implements PurgeLog {
  private readonly redis: Redis;
  private readonly subscriber: Redis;
  private readonly learned: { readonly purge: Purge; readonly seq: number }[] = [];
  private latest = 0;
  /** Told while the log is being read: undefined once it has been. */
  private waiting: string[] | undefined = [];
  private readonly looking: NodeJS.Timeout;

  /** @param subscriber a connection of its own, as one that listens can do nothing else */
  constructor(redis: Redis, subscriber: Redis) {
    this.redis = redis;
    this.subscriber = subscriber;
    for (const connection of [redis, subscriber]) {
      connection.on("ready", () => {
        void this.catchUp();
      });
    }
    subscriber.on("message", (_channel, message) => {
      if (this.waiting === undefined) this.learn(message);
      else this.waiting.push(message);
    });
    this.looking = setInterval(() => {
      void this.catchUp();
    }, LOOK_MS).unref();
    subscriber.on("error", () => {});
    subscriber.on("close", () => {
      this.waiting = [];
    });
  }

  /** False while purges may have been missed: then nothing from Redis can be trusted. */
  get isCaughtUp(): boolean {
    return this.waiting === undefined;
  }

  async append(purge: Purge): Promise<number | undefined> {
    if (this.redis.status !== "ready") return undefined;
    try {
      return (await this.redis.eval(APPEND, 2, COUNT, LOG, JSON.stringify(purge), this.latest)) as number;
    } catch {
      return undefined;
    }
  }

  since(_seq: number, each: (purge: Purge, seq: number) => void): void {
    if (this.learned.length === 0) return;
    for (const { purge, seq } of this.learned.splice(0)) each(purge, seq);
  }

  close(): void {
    clearInterval(this.looking);
    this.subscriber.disconnect();
  }

  private async catchUp(): Promise<void> {
    if (this.redis.status !== "ready" || this.subscriber.status !== "ready") return;
    try {
      await this.subscriber.subscribe(CHANNEL);
      const { latest } = this;
      const count = Number((await this.redis.get(COUNT)) ?? 0);
      // It forgot its count, and with it who knows what purges: whatever it still holds is from before.
      if (count < latest) await this.append({ kind: "all", value: "", soft: false });
      const missed = await this.redis.zrangebyscore(LOG, `(${this.latest}`, "+inf");
      const [first] = missed;
      const isGap = first !== undefined && Number(first.slice(0, first.indexOf("\n"))) > this.latest + 1;
      if (isGap) this.learned.push({ purge: { kind: "all", value: "", soft: false }, seq: this.latest + 1 });
      for (const message of [...missed, ...(this.waiting ?? [])]) this.learn(message);
      this.waiting = undefined;
    } catch {
      // The connection broke again, or Redis was too slow: the next "ready" or look brings us back here.
    }
  }

  private learn(message: string): void {
    const line = message.indexOf("\n");
    const seq = Number(message.slice(0, line));
    if (seq <= this.latest) return;
    this.latest = seq;
    this.learned.push({ purge: JSON.parse(message.slice(line + 1)) as Purge, seq });
  }
}

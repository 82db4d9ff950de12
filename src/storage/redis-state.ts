import { Redis } from "ioredis";
import type { Clock } from "../core/clock.ts";
import { type StateStore, type StoreScript, StoreUnavailable } from "../core/state-store.ts";

export interface RedisLog {
  warn(fields: object, message: string): void;
  info(fields: object, message: string): void;
}

/** A command that takes longer is given up: a limiter must not make every request as slow as its store. */
const COMMAND_TIMEOUT_MS = 250;
/** After a failure nothing is asked for so long, so that only one request in that time waits in vain. */
const PAUSE_MS = 500;

const INCREASE =
  "local n = redis.call('INCRBYFLOAT', KEYS[1], ARGV[1]) if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return n";

/** Redis, shared by every gateway that names it. Connects by itself, again and again; commands of one tick go in one write. */
export function createRedisState(url: string, clock: Clock, log: RedisLog, timeoutMs = COMMAND_TIMEOUT_MS): StateStore {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    retryStrategy: (times) => Math.min(times * 50, 1_000),
    keyPrefix: "portico:",
  });
  let isUp = true;
  let pausedUntilMs = 0;
  // Without a listener ioredis writes to the console, once each try.
  redis.on("error", (error: Error) => {
    if (isUp) log.warn({ err: error }, "redis cannot be reached; limits and stored state go by their onStoreFailure");
    isUp = false;
  });
  redis.on("ready", () => {
    if (!isUp) log.info({}, "redis is back");
    isUp = true;
    pausedUntilMs = 0;
  });

  async function ask<T>(command: () => Promise<T>): Promise<T> {
    const isConnecting = redis.status === "connecting" || redis.status === "connect" || redis.status === "wait";
    if (isConnecting && isUp) await connected(redis, timeoutMs);
    if (redis.status !== "ready" || clock.monotonicMs() < pausedUntilMs) throw new StoreUnavailable("redis is away");
    try {
      return await inTime(command(), timeoutMs);
    } catch (error) {
      if (isReply(error)) throw error;
      pausedUntilMs = clock.monotonicMs() + PAUSE_MS;
      throw new StoreUnavailable("redis did not answer", { cause: error });
    }
  }

  return {
    kind: "redis",
    get: (key) => ask(async () => (await redis.getBuffer(key)) ?? undefined),
    add: (key, value, ttlMs) => ask(async () => (await redis.set(key, value, "PX", Math.ceil(ttlMs), "NX")) === "OK"),
    set: (key, value, ttlMs) => ask(async () => void (await redis.set(key, value, "PX", Math.ceil(ttlMs)))),
    delete: (key) => ask(async () => void (await redis.del(key))),
    increase: (key, by, ttlMs) =>
      ask(async () => Number(await redis.eval(INCREASE, 1, key, String(by), String(Math.ceil(ttlMs))))),
    runScript: (script, keys, args) => ask(() => evaluate(redis, script, keys, args)),
    async close() {
      redis.disconnect();
    },
  };
}

/**
 * Rejects when the answer is not there in time. After a stall of this process the timer is due before the answer that
 * lies in the socket has been read: so that is read first.
 */
function inTime<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const giveUp = (): void => reject(new Error(`no answer in ${timeoutMs} ms`));
    const timer = setTimeout(() => setImmediate(() => setImmediate(giveUp)), timeoutMs);
    answer.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

/** By its digest; a Redis that has been restarted has forgotten the text and is told it again. */
async function evaluate(
  redis: Redis,
  script: StoreScript,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await redis.evalsha(script.sha1, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
    return redis.eval(script.text, keys.length, ...keys, ...args);
  }
}

/** Only of the very first connection: a gateway that has just started is not one whose Redis is away. */
const connected = (redis: Redis, timeoutMs: number): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(done, timeoutMs);
    function done(): void {
      clearTimeout(timer);
      redis.off("ready", done);
      redis.off("error", done);
      resolve();
    }
    redis.once("ready", done);
    redis.once("error", done);
  });

/** An answer of Redis that says no: it is there. */
const isReply = (error: unknown): boolean =>
  error instanceof Error &&
  error.name === "ReplyError" &&
  !/^(LOADING|BUSY|READONLY|MASTERDOWN|CLUSTERDOWN)/.test(error.message);

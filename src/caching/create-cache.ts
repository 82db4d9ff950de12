import { join, resolve } from "node:path";
import { Redis } from "ioredis";
import { channels } from "../core/channels.ts";
import { parseBytes } from "../core/units.ts";
import { Cache } from "./cache.ts";
import { DiskStore } from "./disk-store.ts";
import { MemoryStore } from "./memory-store.ts";
import type { StoreOptions } from "./options.ts";
import { RedisPurges } from "./redis-purges.ts";
import { RedisStore } from "./redis-store.ts";
import { TieredStore } from "./tiered-store.ts";

/** The cache that a configuration asks for. @param folder start of a relative `disk` */
export function createCache(options: StoreOptions, folder = "."): Cache {
  const entryBytes = parseBytes(options.entryBytes ?? "8MiB");
  const memory = new MemoryStore({
    bytes: parseBytes(options.memoryBytes ?? "64MiB"),
    entries: options.memoryEntries ?? 100_000,
    onEvict(record, bytes) {
      if (!channels.cache.hasSubscribers || record.kind !== "answer") return;
      channels.cache.publish({ exchange: undefined, operation: record.operationName, event: "evicted", bytes });
    },
  });
  if (options.redis !== undefined) {
    const redis = connect(options.redis);
    const log = new RedisPurges(redis, redis.duplicate({ commandTimeout: 5000 }));
    const store = new TieredStore(memory, new RedisStore(redis, log));
    return new Cache({ store, log, entryBytes });
  }
  if (options.disk !== undefined) {
    const bytes = parseBytes(options.diskBytes ?? "1GiB");
    const disk = new DiskStore({ folder: join(resolve(folder, options.disk), "cache"), bytes });
    return new Cache({ store: new TieredStore(memory, disk), log: disk, entryBytes });
  }
  return new Cache({ store: memory, entryBytes });
}

/** It tries again for ever, at most two seconds apart, and never makes a command wait for that. */
export function connect(url: string): Redis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 1000,
    commandTimeout: 100,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 6), 2000),
  });
  // Told to nobody here: an unheard "error" would end the process, and each command says what it needs to.
  redis.on("error", () => {});
  return redis;
}

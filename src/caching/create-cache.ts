import { join, resolve } from "node:path";
import { parseBytes } from "../core/units.ts";
import { Cache } from "./cache.ts";
import { MemoryStore } from "./memory-store.ts";
import type { StoreOptions } from "./options.ts";
import { TieredStore } from "./tiered-store.ts";

/** The cache that a configuration asks for. @param folder start of a relative `disk` */
export async function createCache(options: StoreOptions, folder = "."): Promise<Cache> {
  const entryBytes = parseBytes(options.entryBytes ?? "8MiB");
  const memory = new MemoryStore({
    bytes: parseBytes(options.memoryBytes ?? "64MiB"),
    entries: options.memoryEntries ?? 100_000,
  });
  if (options.redis !== undefined) {
    const [{ connect }, { RedisPurges }, { RedisStore }] = await Promise.all([
      import("./redis-connection.ts"),
      import("./redis-purges.ts"),
      import("./redis-store.ts"),
    ]);
    const redis = connect(options.redis);
    const log = new RedisPurges(redis, redis.duplicate({ commandTimeout: 5000 }));
    const store = new TieredStore(memory, new RedisStore(redis, log));
    return new Cache({ store, log, entryBytes });
  }
  if (options.disk !== undefined) {
    const { DiskStore } = await import("./disk-store.ts");
    const bytes = parseBytes(options.diskBytes ?? "1GiB");
    const disk = new DiskStore({ folder: join(resolve(folder, options.disk), "cache"), bytes });
    return new Cache({ store: new TieredStore(memory, disk), log: disk, entryBytes });
  }
  return new Cache({ store: memory, entryBytes });
}

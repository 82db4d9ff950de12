import { channels } from "../core/channels.ts";
import { parseBytes } from "../core/units.ts";
import { Cache } from "./cache.ts";
import { MemoryStore } from "./memory-store.ts";
import type { StoreOptions } from "./options.ts";

/** The cache that a configuration asks for; nothing on disk or elsewhere is touched in a dry run. */
export function createCache(options: StoreOptions): Cache {
  const store = new MemoryStore({
    bytes: parseBytes(options.memoryBytes ?? "64MiB"),
    entries: options.memoryEntries ?? 100_000,
    onEvict(record, bytes) {
      if (!channels.cache.hasSubscribers || record.kind !== "answer") return;
      channels.cache.publish({ exchange: undefined, operation: record.operation, event: "evicted", bytes });
    },
  });
  return new Cache({ store, entryBytes: parseBytes(options.entryBytes ?? "8MiB") });
}

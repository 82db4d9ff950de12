import type { Clock } from "../core/clock.ts";
import type { StateStore } from "../core/state-store.ts";

interface Entry {
  readonly value: Buffer;
  readonly expiresAtMs: number;
}

/** Of this process alone; the oldest entries go when there are too many. */
export function createMemoryState(clock: Clock, maxEntries = 100_000): StateStore {
  const entries = new Map<string, Entry>();
  const find = (key: string): Entry | undefined => {
    const entry = entries.get(key);
    if (entry === undefined || entry.expiresAtMs > clock.monotonicMs()) return entry;
    entries.delete(key);
    return undefined;
  };
  const put = (key: string, value: Buffer, expiresAtMs: number): void => {
    entries.delete(key);
    entries.set(key, { value, expiresAtMs });
    for (const oldest of entries.keys()) {
      if (entries.size <= maxEntries) break;
      entries.delete(oldest);
    }
  };
  return {
    kind: "memory",
    get: async (key) => find(key)?.value,
    async add(key, value, ttlMs) {
      if (find(key) !== undefined) return false;
      put(key, value, clock.monotonicMs() + ttlMs);
      return true;
    },
    async set(key, value, ttlMs) {
      put(key, value, clock.monotonicMs() + ttlMs);
    },
    async delete(key) {
      entries.delete(key);
    },
    async increase(key, by, ttlMs) {
      const entry = find(key);
      const sum = Number(entry?.value ?? 0) + by;
      put(key, Buffer.from(String(sum)), entry?.expiresAtMs ?? clock.monotonicMs() + ttlMs);
      return sum;
    },
    async close() {
      entries.clear();
    },
  };
}

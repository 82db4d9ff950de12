import { resolve } from "node:path";
import { systemClock } from "../core/clock.ts";
import type { StateStore } from "../core/state-store.ts";
import { createMemoryState } from "./memory-state.ts";
import type { RedisLog } from "./redis-state.ts";

interface StateOptions {
  readonly redis?: string;
  readonly redisTimeoutMs?: number;
  readonly disk?: string;
}

/** What stands in for the store of a configuration that is only looked at: it says what it would be, and touches nothing. */
export const createDryState = (options: StateOptions): StateStore => ({
  ...createMemoryState(systemClock),
  kind: options.redis !== undefined ? "redis" : options.disk !== undefined ? "disk" : "memory",
});

/** The store of plugins that a configuration asks for: Redis, else a folder on disk, else memory. */
export async function createState(options: StateOptions, folder: string, log: RedisLog): Promise<StateStore> {
  if (options.redis !== undefined) {
    const { createRedisState } = await import("./redis-state.ts");
    return createRedisState(options.redis, systemClock, log, options.redisTimeoutMs);
  }
  if (options.disk !== undefined) {
    const { createDiskState } = await import("./disk-state.ts");
    return createDiskState(resolve(folder, options.disk, "state"), systemClock);
  }
  return createMemoryState(systemClock);
}

import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { open } from "lmdb";
import type { Clock } from "../core/clock.ts";
import type { StateStore } from "../core/state-store.ts";

interface Entry {
  readonly value: Buffer;
  readonly expiresAtMs: number;
}
const SWEEP_MS = 60_000;
const SWEEP_ENTRIES = 1_000;

/**
 * A folder (LMDB) that the processes of one machine share. A write has reached the disk when its promise resolves.
 * @throws Error when the folder cannot be written
 */
export function createDiskState(folder: string, clock: Clock): StateStore {
  mkdirSync(folder, { recursive: true });
  const entries = open<Entry, string>({ path: folder, encoding: "msgpack" });
  const find = (key: string): Entry | undefined => {
    const entry = entries.get(key);
    return entry !== undefined && entry.expiresAtMs > clock.nowMs() ? entry : undefined;
  };
  let cursor = "";
  let cancel = clock.after(SWEEP_MS, sweep);

  /** Removes what has expired, a bounded number of entries at a time. */
  function sweep(): void {
    let last: string | undefined;
    for (const { key, value } of entries.getRange({ start: cursor, limit: SWEEP_ENTRIES })) {
      if (value.expiresAtMs <= clock.nowMs()) entries.remove(key).catch(() => {});
      last = key;
    }
    cursor = last === undefined || last === cursor ? "" : last;
    cancel = clock.after(SWEEP_MS, sweep);
  }

  return {
    kind: "disk",
    get: async (key) => find(short(key))?.value,
    add: (key, value, ttlMs) =>
      entries.transaction(() => {
        const at = short(key);
        if (find(at) !== undefined) return false;
        entries.put(at, { value, expiresAtMs: clock.nowMs() + ttlMs }).catch(() => {});
        return true;
      }),
    async set(key, value, ttlMs) {
      await entries.put(short(key), { value, expiresAtMs: clock.nowMs() + ttlMs });
    },
    async delete(key) {
      await entries.remove(short(key));
    },
    increase: (key, by, ttlMs) =>
      entries.transaction(() => {
        const at = short(key);
        const entry = find(at);
        const sum = Number(entry?.value ?? 0) + by;
        const expiresAtMs = entry?.expiresAtMs ?? clock.nowMs() + ttlMs;
        entries.put(at, { value: Buffer.from(String(sum)), expiresAtMs }).catch(() => {});
        return sum;
      }),
    async close() {
      cancel();
      await entries.close();
    },
  };
}

/** LMDB takes keys of at most 1,978 bytes; a client may have chosen this one. */
const short = (key: string): string =>
  Buffer.byteLength(key) <= 512 ? key : `sha256:${createHash("sha256").update(key).digest("base64url")}`;

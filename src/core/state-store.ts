/** State that plugins keep beyond one request: in memory, on disk, or in Redis, which several gateways share. */
export interface StateStore {
  /** What it outlives: nothing, a restart of this machine, or this machine. */
  readonly kind: "memory" | "disk" | "redis";
  get(key: string): Promise<Buffer | undefined>;
  /** @returns false, having changed nothing, when the key is there */
  add(key: string, value: Buffer, ttlMs: number): Promise<boolean>;
  set(key: string, value: Buffer, ttlMs: number): Promise<void>;
  delete(key: string): Promise<void>;
  /** Adds to a number, 0 when it is not there, and lets it expire `ttlMs` after its first addition. @returns the sum */
  increase(key: string, by: number, ttlMs: number): Promise<number>;
  /** Redis alone: runs Lua, atomically. @throws StoreUnavailable at once while Redis is away or slow */
  runScript?(script: StoreScript, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
  close(): Promise<void>;
}

/** @throws any method of a store that cannot be reached, or not in time */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
}

export interface StoreScript {
  /** SHA-1 of the text in hexadecimal, by which Redis knows it again. */
  readonly sha1: string;
  readonly text: string;
}

import type { Algorithm, Limit } from "./algorithms.ts";
import { KeyTable } from "./key-table.ts";

/** What the limits say of one request. */
export interface Verdict {
  /** 0: it may pass. Else how long until it may; Infinity when it asks for more than there ever is. */
  waitMs: number;
  /** By limit: requests that may still come, and how long until the whole is back (or, when none may, until one may). */
  readonly remaining: number[];
  readonly resetMs: number[];
}

/** Several limits on the same keys, on this machine: a request passes when all of them let it, and only then counts. */
export class LocalLimiter {
  private readonly limits: readonly Limit[];
  private readonly algorithm: Algorithm;
  private readonly table: KeyTable;
  private readonly verdict: Verdict;

  constructor(limits: readonly Limit[], algorithm: Algorithm, maxKeys: number) {
    this.limits = limits;
    this.algorithm = algorithm;
    this.verdict = { waitMs: 0, remaining: limits.map(() => 0), resetMs: limits.map(() => 0) };
    const { width } = algorithm;
    this.table = new KeyTable(width * limits.length, maxKeys, (values, at) => {
      let latest = 0;
      for (let i = 0; i < limits.length; i++) {
        latest = Math.max(latest, algorithm.expiryMs(limits[i] as Limit, values, at + i * width));
      }
      return latest;
    });
  }

  /** @returns the same object each time: read it before the next call */
  take(key: string, cost: number, nowMs: number): Verdict {
    const { limits, algorithm, table, verdict } = this;
    const { width } = algorithm;
    const start = table.find(key, nowMs);
    const { values } = table;
    let waitMs = 0;
    for (let i = 0, at = start; i < limits.length; i++, at += width) {
      waitMs = Math.max(waitMs, algorithm.waitMs(limits[i] as Limit, values, at, nowMs, cost));
    }
    verdict.waitMs = waitMs;
    for (let i = 0, at = start; i < limits.length; i++, at += width) {
      const limit = limits[i] as Limit;
      if (waitMs === 0) algorithm.count(limit, values, at, nowMs, cost);
      const remaining = algorithm.remaining(limit, values, at, nowMs);
      verdict.remaining[i] = remaining;
      verdict.resetMs[i] =
        remaining > 0
          ? Math.max(0, algorithm.expiryMs(limit, values, at) - nowMs)
          : algorithm.waitMs(limit, values, at, nowMs, 1);
    }
    return verdict;
  }

  get size(): number {
    return this.table.size;
  }

  get bytes(): number {
    return this.table.bytes;
  }
}

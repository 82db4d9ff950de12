import type { Clock } from "../core/clock.ts";
import { SlicedWork, type Steps } from "../core/slices.ts";

export interface PreservationOptions {
  /** False: every lease that ends is an eviction. Default: true. */
  readonly enabled?: boolean | undefined;
  /** More than this share of leases ending at once is taken for a fault of the network. Default: 0.15. */
  readonly share?: number | undefined;
  /** Fewer known instances than this are not enough to tell. Default: 20. */
  readonly minimum?: number | undefined;
  /** No longer than this; then the dead are let go. Default: 300. */
  readonly maxSeconds?: number | undefined;
}

interface Lease {
  ttlMs: number;
  renewedAtMs: number;
  /** Between its last two renewals; 0 before the second. */
  intervalMs: number;
  isExpired: boolean;
}

export interface LeaseEvents {
  /** Leases that ended: forget them. Thousands are told in several parts. */
  evict(keys: readonly string[]): void;
  /** A lease ended and is kept all the same, or was renewed after that. */
  keep(key: string, isKept: boolean): void;
}

const SWEEP_MS = 250;
/** Leases that end together, told in one part. */
const PART = 100;

/** Leases by the monotonic clock, and self-preservation: when too many end at once, the fault is likely not theirs. */
export class Leases {
  private readonly leases = new Map<string, Lease>();
  private readonly kept = new Set<string>();
  private readonly clock: Clock;
  private readonly events: LeaseEvents;
  private readonly options: Required<{ [K in keyof PreservationOptions]: NonNullable<PreservationOptions[K]> }>;
  private preservingSinceMs: number | undefined = undefined;
  private massAtMs = 0;
  private cancel: () => void;
  private telling: SlicedWork | undefined = undefined;
  private isClosed = false;

  constructor(clock: Clock, options: PreservationOptions, events: LeaseEvents) {
    this.clock = clock;
    this.events = events;
    this.options = {
      enabled: options.enabled ?? true,
      share: options.share ?? 0.15,
      minimum: options.minimum ?? 20,
      maxSeconds: options.maxSeconds ?? 300,
    };
    this.cancel = clock.after(SWEEP_MS, () => this.tick());
  }

  get isPreserving(): boolean {
    return this.preservingSinceMs !== undefined;
  }

  get keptCount(): number {
    return this.kept.size;
  }

  grant(key: string, ttlSeconds: number): void {
    this.drop(key);
    const lease = { ttlMs: ttlSeconds * 1000, renewedAtMs: this.clock.monotonicMs(), intervalMs: 0, isExpired: false };
    this.leases.set(key, lease);
  }

  /** @returns false when there is no such lease any more */
  renew(key: string): boolean {
    const lease = this.leases.get(key);
    if (lease === undefined) return false;
    const now = this.clock.monotonicMs();
    // A lease that has ended but was not yet swept is gone, unless the registry said that it keeps it.
    if (now - lease.renewedAtMs >= lease.ttlMs && !lease.isExpired) return false;
    lease.intervalMs = now - lease.renewedAtMs;
    lease.renewedAtMs = now;
    if (lease.isExpired) {
      lease.isExpired = false;
      this.kept.delete(key);
      this.events.keep(key, false);
    }
    return true;
  }

  drop(key: string): void {
    this.leases.delete(key);
    this.kept.delete(key);
  }

  close(): void {
    this.isClosed = true;
    this.telling?.cancel();
    this.cancel();
  }

  private tick(): void {
    if (this.telling === undefined) this.sweep();
    if (!this.isClosed) this.cancel = this.clock.after(SWEEP_MS, () => this.tick());
  }

  private sweep(): void {
    const now = this.clock.monotonicMs();
    const expired: string[] = [];
    let late = 0;
    let longestTtlMs = 0;
    for (const [key, lease] of this.leases) {
      const ageMs = now - lease.renewedAtMs;
      if (ageMs >= lease.ttlMs) {
        expired.push(key);
        longestTtlMs = Math.max(longestTtlMs, lease.ttlMs);
      } else if (ageMs > lateAfterMs(lease)) late++;
    }
    if (this.mustPreserve(expired.length, late, longestTtlMs, now)) {
      this.tell(this.keepAll(expired.filter((key) => this.markKept(key))), expired.length);
      return;
    }
    if (expired.length === 0) return;
    for (const key of expired) this.drop(key);
    this.tell(this.evictAll(expired), expired.length);
  }

  /** Thousands of leases that end together are thousands of events to each watcher: told in slices. */
  private tell(steps: Steps, count: number): void {
    this.telling = new SlicedWork(steps, () => {
      this.telling = undefined;
    });
    if (count <= PART) this.telling.finish();
  }

  private *keepAll(keys: readonly string[]): Steps {
    for (const key of keys) {
      // Renewed meanwhile, perhaps: then there is nothing to tell.
      if (this.kept.has(key)) this.events.keep(key, true);
      yield;
    }
  }

  private *evictAll(keys: readonly string[]): Steps {
    for (let i = 0; i < keys.length; i += PART) {
      // Registered anew meanwhile, perhaps: that lease has not ended.
      this.events.evict(keys.slice(i, i + PART).filter((key) => !this.leases.has(key)));
      yield;
    }
  }

  /**
   * A cut network stops all heartbeats at one moment, but the leases end one by one, each a beat after another. So those
   * that have missed a beat are counted with those that have ended: else the first 15 % would be lost before anybody notices.
   */
  private mustPreserve(expired: number, late: number, longestTtlMs: number, nowMs: number): boolean {
    const { enabled, share, minimum, maxSeconds } = this.options;
    const isMass = enabled && expired > 0 && this.leases.size >= minimum && expired + late > share * this.leases.size;
    if (isMass) {
      this.preservingSinceMs ??= nowMs;
      this.massAtMs = nowMs;
    } else if (expired === 0 || nowMs - this.massAtMs >= longestTtlMs) {
      // When a network comes back, the last of its instances beat one interval after the first: they get a whole lease.
      this.preservingSinceMs = undefined;
    }
    if (this.preservingSinceMs === undefined) return false;
    if (nowMs - this.preservingSinceMs < maxSeconds * 1000) return true;
    this.preservingSinceMs = undefined;
    return false;
  }

  /** @returns false when it was so already */
  private markKept(key: string): boolean {
    if (this.kept.has(key)) return false;
    this.kept.add(key);
    (this.leases.get(key) as Lease).isExpired = true;
    return true;
  }
}

/** Heartbeats come three to a lease by custom; a service that beats more slowly is given its own measure. */
const lateAfterMs = ({ ttlMs, intervalMs }: Lease): number => Math.max((ttlMs * 2) / 3, intervalMs * 1.5);

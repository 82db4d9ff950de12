import type { Clock } from "../core/clock.ts";
import { GatewayError } from "../core/errors.ts";
import { Buckets } from "./buckets.ts";
import type { Catalog } from "./catalog.ts";
import type { Place } from "./registry.ts";

export interface QuotaOptions {
  /** Instances of all services. Default: 100,000. */
  readonly instances?: number | undefined;
  /** Instances of one service. Default: 20,000. */
  readonly instancesPerService?: number | undefined;
  /** Instances of one token. Default: 50,000. */
  readonly instancesPerOwner?: number | undefined;
  /** Registrations, status changes and removals a second of one caller; ten seconds of them may come at once. Default: 2,000. */
  readonly changesPerSecond?: number | undefined;
  /** Watches and long polls open at once. Default: 10,000. */
  readonly watches?: number | undefined;
}

const BURST_SECONDS = 10;

/** Bounds on what callers can make the registry hold and do. */
export class Quota {
  private readonly options: Required<{ [K in keyof QuotaOptions]: NonNullable<QuotaOptions[K]> }>;
  private readonly catalog: Catalog;
  private readonly clock: Clock;
  private readonly buckets = new Buckets();
  private readonly owned = new Map<string, number>();
  private watching = 0;

  constructor(options: QuotaOptions, catalog: Catalog, clock: Clock) {
    this.catalog = catalog;
    this.clock = clock;
    this.options = {
      instances: options.instances ?? 100_000,
      instancesPerService: options.instancesPerService ?? 20_000,
      instancesPerOwner: options.instancesPerOwner ?? 50_000,
      changesPerSecond: options.changesPerSecond ?? 2_000,
      watches: options.watches ?? 10_000,
    };
    for (const { owner } of catalog.all()) this.count(owner, 1);
    catalog.watch(undefined, ({ kind, registration, before }) => {
      if (before !== undefined) this.count(before.owner, -1);
      if (kind === "put") this.count(registration.owner, 1);
    });
  }

  /** @throws QUOTA_EXCEEDED when one instance more is too many */
  assertRoom(place: Place, owner: string | undefined): void {
    if (this.catalog.get(place.service, place.id) !== undefined) return;
    const { instances, instancesPerService, instancesPerOwner } = this.options;
    if (this.catalog.size >= instances) throw full(`the registry holds ${instances} instances, its most`);
    if (this.catalog.instancesOf(place.service).size >= instancesPerService)
      throw full(`a service has at most ${instancesPerService} instances`);
    if ((this.owned.get(owner ?? "") ?? 0) >= instancesPerOwner)
      throw full(`a token registers at most ${instancesPerOwner} instances`);
  }

  /** @param caller token or address @throws RATE_LIMITED */
  assertRate(caller: string): void {
    const { changesPerSecond } = this.options;
    const most = changesPerSecond * BURST_SECONDS;
    const now = this.clock.monotonicMs();
    const bucket = this.buckets.of(caller, most, now);
    bucket.tokens = Math.min(most, bucket.tokens + ((now - bucket.atMs) / 1000) * changesPerSecond);
    bucket.atMs = now;
    if (bucket.tokens < 1) {
      throw new GatewayError("RATE_LIMITED", `at most ${changesPerSecond} changes a second`, {
        headers: { "Retry-After": "1" },
      });
    }
    bucket.tokens--;
  }

  /** @returns gives the place back @throws QUOTA_EXCEEDED */
  takeWatch(): () => void {
    if (this.watching >= this.options.watches) throw full(`at most ${this.options.watches} watches are open at once`);
    this.watching++;
    let isHeld = true;
    return () => {
      if (isHeld) this.watching--;
      isHeld = false;
    };
  }

  private count(owner: string | undefined, by: number): void {
    const key = owner ?? "";
    const count = (this.owned.get(key) ?? 0) + by;
    if (count > 0) this.owned.set(key, count);
    else this.owned.delete(key);
  }
}

const full = (detail: string): GatewayError => new GatewayError("QUOTA_EXCEEDED", detail);

import type { Clock } from "../core/clock.ts";
import type { Catalog, Change } from "./catalog.ts";
import type { InstanceStatus, Registration } from "./registration.ts";
import type { Place } from "./registry.ts";

/** As Eureka's servers keep them; a client asks each 30 s. */
const KEPT_MS = 180_000;
const MOST_CHANGES = 5_000;

export interface EurekaChange {
  readonly actionType: "ADDED" | "MODIFIED" | "DELETED";
  readonly registration: Registration;
}

/**
 * What Eureka's protocol knows beside a registration: an operator's override of the status, the client's own stamp of its
 * last change, and the changes of the last minutes. In memory, as in Eureka; a client that misses it registers again.
 */
export class EurekaMemory {
  private readonly clock: Clock;
  private readonly overrides = new Map<string, InstanceStatus>();
  private readonly stamps = new Map<string, number>();
  private readonly changes: { readonly atMs: number; readonly change: EurekaChange }[] = [];
  /** False once changes were dropped that are younger than the rest is kept. */
  private lostUntilMs = Number.NEGATIVE_INFINITY;

  constructor(catalog: Catalog, clock: Clock) {
    this.clock = clock;
    catalog.watch(undefined, (change) => this.take(change));
  }

  override(place: Place, status: InstanceStatus | undefined): void {
    if (status === undefined) this.overrides.delete(keyOf(place));
    else this.overrides.set(keyOf(place), status);
  }

  overrideOf(place: Place): InstanceStatus | undefined {
    return this.overrides.get(keyOf(place));
  }

  stamp(place: Place, lastDirtyMs: number | undefined): void {
    if (lastDirtyMs !== undefined) this.stamps.set(keyOf(place), lastDirtyMs);
  }

  /** Since 1970, by the client's clock; 0 when it has told none. */
  stampOf(place: Place): number {
    return this.stamps.get(keyOf(place)) ?? 0;
  }

  /** The changes of the last minutes, oldest first; undefined when some of them are lost: the whole is to be read. */
  recent(): readonly EurekaChange[] | undefined {
    this.forgetOld();
    return this.clock.monotonicMs() < this.lostUntilMs ? undefined : this.changes.map(({ change }) => change);
  }

  private take({ kind, registration, before }: Change): void {
    const actionType = kind === "delete" ? "DELETED" : before === undefined ? "ADDED" : "MODIFIED";
    if (kind === "delete") {
      this.overrides.delete(keyOf(registration));
      this.stamps.delete(keyOf(registration));
    }
    this.forgetOld();
    const atMs = this.clock.monotonicMs();
    if (this.changes.length >= MOST_CHANGES) {
      this.changes.splice(0, MOST_CHANGES / 2);
      this.lostUntilMs = atMs + KEPT_MS;
    }
    this.changes.push({ atMs, change: { actionType, registration } });
  }

  private forgetOld(): void {
    const oldest = this.clock.monotonicMs() - KEPT_MS;
    const from = this.changes.findIndex(({ atMs }) => atMs >= oldest);
    if (from !== 0) this.changes.splice(0, from < 0 ? this.changes.length : from);
  }
}

const keyOf = ({ service, id }: Place): string => `${service}\0${id}`;

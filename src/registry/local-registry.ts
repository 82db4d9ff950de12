import { randomBytes } from "node:crypto";
import { type Clock, systemClock } from "../core/clock.ts";
import { GatewayError } from "../core/errors.ts";
import { Catalog } from "./catalog.ts";
import { Journal } from "./journal.ts";
import { Leases, type PreservationOptions } from "./leases.ts";
import { assertOwner, unknownInstance } from "./ownership.ts";
import { type InstanceStatus, type Registration, type RegistrationRequest, toRegistration } from "./registration.ts";
import type { Actor, Place, Registry, RegistryState } from "./registry.ts";

export interface LocalRegistryOptions {
  /** Folder of the store; undefined keeps everything in memory only. */
  readonly data?: string | undefined;
  readonly preservation?: PreservationOptions | undefined;
  readonly clock?: Clock | undefined;
  /** Told of a write that failed where nobody waits for it. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** A registry of one process, durable in LMDB. */
export class LocalRegistry implements Registry {
  readonly catalog: Catalog;
  private readonly journal: Journal | undefined;
  private readonly leases: Leases;
  private readonly clock: Clock;
  private readonly onError: (error: unknown) => void;

  constructor(options: LocalRegistryOptions = {}) {
    this.clock = options.clock ?? systemClock;
    this.onError = options.onError ?? (() => {});
    this.journal = options.data === undefined ? undefined : new Journal(options.data);
    const kept = this.journal?.read() ?? { index: 1, registrations: [] };
    this.catalog = new Catalog(kept.index);
    this.leases = new Leases(this.clock, options.preservation ?? {}, {
      evict: (keys) => this.evict(keys),
      keep: (key, isKept) => this.keep(key, isKept),
    });
    for (const registration of kept.registrations) {
      this.catalog.put(registration);
      this.leases.grant(keyOf(registration), registration.ttlSeconds);
    }
  }

  async register(place: Place, request: RegistrationRequest, actor: Actor) {
    const before = this.catalog.get(place.service, place.id);
    if (before !== undefined) assertOwner(before, actor);
    const lease = randomBytes(12).toString("base64url");
    const made = toRegistration(place, request, { owner: actor.owner, lease, nowMs: this.clock.nowMs() });
    this.catalog.put(made);
    this.leases.grant(keyOf(made), made.ttlSeconds);
    await this.write(made);
    return { created: before === undefined, made };
  }

  async renew(place: Place, actor: Actor, lease?: string): Promise<void> {
    const known = this.known(place, actor);
    if ((lease !== undefined && lease !== known.lease) || !this.leases.renew(keyOf(place))) throw unknownInstance();
  }

  async setStatus(place: Place, status: InstanceStatus, actor: Actor): Promise<void> {
    const known = this.known(place, actor);
    if (known.status === status) return;
    const changed = { ...known, status };
    this.catalog.put(changed);
    await this.write(changed);
  }

  async deregister(place: Place, actor: Actor): Promise<void> {
    const known = this.known(place, actor);
    this.leases.drop(keyOf(known));
    this.catalog.delete(known.service, known.id);
    await this.journal?.delete([known], this.catalog.index).catch(unwritten);
  }

  async ready(): Promise<void> {}

  state(): RegistryState {
    return {
      store: this.journal === undefined ? "memory" : "lmdb",
      index: this.catalog.index,
      instances: this.catalog.size,
      isPreserving: this.leases.isPreserving,
      kept: this.leases.keptCount,
      lastContactMs: 0,
    };
  }

  async close(): Promise<void> {
    this.leases.close();
    await this.journal?.close();
  }

  private known({ service, id }: Place, actor: Actor): Registration {
    const known = this.catalog.get(service, id);
    if (known === undefined) throw unknownInstance();
    assertOwner(known, actor);
    return known;
  }

  private async write(registration: Registration): Promise<void> {
    await this.journal?.put(registration, this.catalog.index).catch(unwritten);
  }

  private evict(keys: readonly string[]): void {
    const gone: Registration[] = [];
    for (const key of keys) {
      const [service, id] = key.split("\0") as [string, string];
      const registration = this.catalog.delete(service, id);
      if (registration !== undefined) gone.push(registration);
    }
    if (gone.length > 0) this.journal?.delete(gone, this.catalog.index).catch(this.onError);
  }

  private keep(key: string, isKept: boolean): void {
    const [service, id] = key.split("\0") as [string, string];
    const known = this.catalog.get(service, id);
    if (known !== undefined) this.catalog.put({ ...known, unconfirmed: isKept ? true : undefined });
  }
}

const keyOf = ({ service, id }: Place): string => `${service}\0${id}`;

const unwritten = (cause: unknown): never => {
  throw new GatewayError("REGISTRY_UNAVAILABLE", "the registry could not write to its disk", { cause });
};

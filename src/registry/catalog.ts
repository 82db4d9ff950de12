import type { Registration } from "./registration.ts";

/** One change of the catalog; `index` grows with every change, and never goes back. */
export interface Change {
  readonly kind: "put" | "delete";
  readonly index: number;
  /** What is registered now; of a delete, what was. */
  readonly registration: Registration;
  /** What it replaces. */
  readonly before: Registration | undefined;
}

export type ChangeListener = (change: Change) => void;

interface ServiceEntry {
  index: number;
  readonly instances: Map<string, Registration>;
}

const NOTHING: ReadonlyMap<string, Registration> = new Map();

/** Who is registered, in memory: what reads and watches are answered from. Where it is kept is another's work. */
export class Catalog {
  private readonly services = new Map<string, ServiceEntry>();
  private readonly listeners = new Map<string, Set<ChangeListener>>();
  private readonly everything = new Set<ChangeListener>();
  private count = 0;
  private current: number;
  /** Index at which a service last lost its last instance: what an unknown service answers. */
  private lastEmptied: number;

  constructor(index = 1) {
    this.current = index;
    this.lastEmptied = index;
  }

  /** Of the last change. */
  get index(): number {
    return this.current;
  }

  /** Registered instances, of all services. */
  get size(): number {
    return this.count;
  }

  /** Index of the last change of a service; of an unknown one, when it may last have been known. */
  indexOf(service: string): number {
    return this.services.get(service)?.index ?? this.lastEmptied;
  }

  get(service: string, id: string): Registration | undefined {
    return this.services.get(service)?.instances.get(id);
  }

  instancesOf(service: string): ReadonlyMap<string, Registration> {
    return this.services.get(service)?.instances ?? NOTHING;
  }

  serviceNames(): IterableIterator<string> {
    return this.services.keys();
  }

  *all(): IterableIterator<Registration> {
    for (const { instances } of this.services.values()) yield* instances.values();
  }

  /** @param index of the store, when it counts by itself; default: the next one */
  put(registration: Registration, index = this.current + 1): void {
    const { service, id } = registration;
    let entry = this.services.get(service);
    if (entry === undefined) {
      entry = { index, instances: new Map() };
      this.services.set(service, entry);
    }
    const before = entry.instances.get(id);
    if (before === undefined) this.count++;
    entry.instances.set(id, registration);
    entry.index = index;
    this.current = index;
    this.tell({ kind: "put", index, registration, before });
  }

  /** @returns what was there */
  delete(service: string, id: string, index = this.current + 1): Registration | undefined {
    const entry = this.services.get(service);
    const registration = entry?.instances.get(id);
    if (entry === undefined || registration === undefined) return undefined;
    entry.instances.delete(id);
    entry.index = index;
    this.count--;
    this.current = index;
    if (entry.instances.size === 0) {
      this.services.delete(service);
      this.lastEmptied = index;
    }
    this.tell({ kind: "delete", index, registration, before: registration });
    return registration;
  }

  /** Calls back after each change. @param service undefined: of every service @returns ends it */
  watch(service: string | undefined, listener: ChangeListener): () => void {
    if (service === undefined) {
      this.everything.add(listener);
      return () => void this.everything.delete(listener);
    }
    const listeners = this.listeners.get(service) ?? new Set();
    this.listeners.set(service, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.listeners.get(service) === listeners) this.listeners.delete(service);
    };
  }

  private tell(change: Change): void {
    for (const listener of this.everything) listener(change);
    for (const listener of this.listeners.get(change.registration.service) ?? []) listener(change);
  }
}

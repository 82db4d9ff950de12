import { randomBytes } from "node:crypto";
import { GatewayError } from "../core/errors.ts";
import { Backoff } from "../discovery/backoff.ts";
import { EtcdClient, type EtcdEntry, type EtcdOperation, toBase64 } from "../discovery/etcd-client.ts";
import type { EtcdSecurity } from "../discovery/etcd-security.ts";
import { WatchLoop } from "../discovery/watch-loop.ts";
import { Catalog } from "./catalog.ts";
import { assertOwner, unknownInstance } from "./ownership.ts";
import { type InstanceStatus, type Registration, type RegistrationRequest, toRegistration } from "./registration.ts";
import type { Actor, Consistency, Place, Registry, RegistryState } from "./registry.ts";

const PREFIX = "/portico/registry/";
const BARRIER = `${PREFIX}barrier`;
const PROBE_MS = 1_000;
/** Out of touch for longer, this process's view is no answer unless `stale` is asked for. */
const TOUCH_MS = 5_000;
const CATCH_UP_MS = 3_000;
const MAX_TRIES = 10;
/** Keys that are taken over without letting the loop do anything else. */
const SLICE = 500;

/** One of any number of registry processes over an etcd cluster: leases and watches are etcd's own. */
export class EtcdRegistry implements Registry {
  readonly catalog = new Catalog();
  private readonly client: EtcdClient;
  private readonly loop: WatchLoop;
  /** etcd's lease of each key, as the watch told it. */
  private readonly leases = new Map<string, string>();
  private readonly waiting = new Set<() => void>();
  private revision = 0;
  private touchedAtMs = Number.NEGATIVE_INFINITY;

  constructor(endpoints: readonly string[], security: EtcdSecurity = {}) {
    this.client = new EtcdClient(endpoints, security);
    this.loop = new WatchLoop(new Backoff(50, 1_000), (signal, contact) => this.follow(signal, contact));
  }

  /** Resolves once the first list has been read, or could not be. */
  get started(): Promise<void> {
    return this.loop.ready;
  }

  async register(place: Place, request: RegistrationRequest, actor: Actor) {
    const lease = randomBytes(12).toString("base64url");
    const made = toRegistration(place, request, { owner: actor.owner, lease, nowMs: Date.now() });
    return this.acknowledged(async () => {
      const { ID } = await this.client.call<{ ID: string }>("/v3/lease/grant", {
        TTL: String(Math.ceil(made.ttlSeconds)),
      });
      let created = false;
      const before = await this.change(place, actor, (entry) => {
        created = entry === undefined;
        return [putOperation(place, made, { lease: ID })];
      });
      if (before !== undefined && before.lease !== "0") this.revoke(before.lease);
      return { created, made };
    });
  }

  async renew(place: Place, actor: Actor, lease?: string): Promise<void> {
    await this.acknowledged(async () => {
      const known = this.catalog.get(place.service, place.id);
      let etcdLease = this.leases.get(keyOf(place));
      let current = known;
      if (known === undefined || etcdLease === undefined || (lease !== undefined && known.lease !== lease)) {
        // Registered with another process a moment ago, perhaps: the cluster knows.
        const entry = await this.client.get(keyOf(place));
        current = entry && parseRegistration(entry);
        etcdLease = entry?.lease;
      }
      if (current === undefined || etcdLease === undefined) throw unknownInstance();
      assertOwner(current, actor);
      if (lease !== undefined && current.lease !== lease) throw unknownInstance();
      const { TTL } = await this.client.call<{ TTL?: string }>("/v3/lease/keepalive", { ID: etcdLease });
      if (Number(TTL ?? 0) <= 0) throw unknownInstance();
    });
  }

  async setStatus(place: Place, status: InstanceStatus, actor: Actor): Promise<void> {
    await this.acknowledged(() =>
      this.change(place, actor, (entry) => {
        const known = entry && parseRegistration(entry);
        if (known === undefined) throw unknownInstance();
        return [putOperation(place, { ...known, status }, { ignore_lease: true })];
      }),
    );
  }

  async deregister(place: Place, actor: Actor): Promise<void> {
    await this.acknowledged(async () => {
      const before = await this.change(place, actor, (entry) => {
        if (entry === undefined) throw unknownInstance();
        return [{ request_delete_range: { key: toBase64(keyOf(place)) } }];
      });
      if (before !== undefined && before.lease !== "0") this.revoke(before.lease);
    });
  }

  async ready(consistency: Consistency): Promise<void> {
    if (consistency === "stale") return;
    if (consistency === "default") {
      if (performance.now() - this.touchedAtMs < TOUCH_MS) return;
      throw unavailable(undefined);
    }
    // A write of our own goes through the cluster's one log: once the watch has brought it, it has brought all before it.
    await this.acknowledged(async () => {
      const put = { key: toBase64(BARRIER), value: "" };
      const { header } = await this.client.call<{ header: { revision: string } }>("/v3/kv/put", put);
      await this.reached(Number(header.revision));
    });
  }

  state(): RegistryState {
    const lastContactMs = Math.max(0, performance.now() - this.touchedAtMs);
    return {
      store: "etcd",
      index: this.catalog.index,
      instances: this.catalog.size,
      isPreserving: false,
      kept: 0,
      lastContactMs: Number.isFinite(lastContactMs) ? Math.round(lastContactMs) : -1,
    };
  }

  async close(): Promise<void> {
    this.loop.close();
    await this.client.close();
  }

  /** Reads, decides and writes if nothing came between; anew if it did. @returns what was there */
  private async change(
    place: Place,
    actor: Actor,
    decide: (entry: EtcdEntry | undefined) => readonly EtcdOperation[],
  ): Promise<EtcdEntry | undefined> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const entry = await this.client.get(keyOf(place));
      const known = entry && parseRegistration(entry);
      if (known !== undefined) assertOwner(known, actor);
      const { succeeded, revision } = await this.client.change(keyOf(place), entry?.modRevision ?? 0, decide(entry));
      if (!succeeded) continue;
      await this.reached(revision);
      return entry;
    }
    throw new Error("others changed the instance at the same moment, again and again");
  }

  private revoke(lease: string): void {
    // Nothing hangs on it any more: it would end by itself.
    this.client.call("/v3/lease/revoke", { ID: lease }).catch(() => {});
  }

  /** Resolves when this process's own view has come so far, or when that takes too long: the write stands all the same. */
  private reached(revision: number): Promise<void> {
    if (this.revision >= revision) return Promise.resolve();
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.revision < revision) return;
        clearTimeout(timer);
        this.waiting.delete(look);
        resolve();
      };
      const timer = setTimeout(() => {
        this.waiting.delete(look);
        resolve();
      }, CATCH_UP_MS);
      this.waiting.add(look);
    });
  }

  private async acknowledged<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw error instanceof GatewayError ? error : unavailable(error);
    }
  }

  private async follow(closed: AbortSignal, contact: () => void): Promise<never> {
    const broken = new AbortController();
    const { revision, entries } = await this.client.range(PREFIX);
    await this.replaceAll(entries, revision);
    const touch = (): void => {
      this.touchedAtMs = performance.now();
      contact();
    };
    touch();
    const rest = this.client.watchOver(BARRIER, PROBE_MS, { answer: touch, lost: () => broken.abort() });
    try {
      return await this.client.watch(PREFIX, revision + 1, AbortSignal.any([closed, broken.signal]), {
        start() {},
        events: (events, at) => {
          for (const { kind, entry } of events) this.take(entry, kind === "put", at);
          this.advance(at);
        },
      });
    } finally {
      rest();
    }
  }

  private async replaceAll(entries: readonly EtcdEntry[], revision: number): Promise<void> {
    const keys = new Set(entries.map(({ key }) => key));
    for (const [i, known] of [...this.catalog.all()].entries()) {
      if (i % SLICE === SLICE - 1) await new Promise(setImmediate);
      if (keys.has(keyOf(known))) continue;
      this.leases.delete(keyOf(known));
      this.catalog.delete(known.service, known.id, revision);
    }
    for (const [i, entry] of entries.entries()) {
      if (i % SLICE === SLICE - 1) await new Promise(setImmediate);
      this.take(entry, true, revision);
    }
    this.advance(revision);
  }

  private take(entry: EtcdEntry, isPut: boolean, revision: number): void {
    const [service, id] = entry.key.slice(PREFIX.length).split("/").map(decodeURIComponent);
    if (service === undefined || id === undefined) return;
    if (!isPut) {
      this.leases.delete(entry.key);
      this.catalog.delete(service, id, revision);
      return;
    }
    const registration = parseRegistration(entry);
    if (registration === undefined) return;
    this.leases.set(entry.key, entry.lease);
    const known = this.catalog.get(service, id);
    if (known?.lease === registration.lease && known.status === registration.status) return;
    this.catalog.put(registration, revision);
  }

  private advance(revision: number): void {
    this.revision = Math.max(this.revision, revision);
    for (const look of this.waiting) look();
  }
}

const keyOf = ({ service, id }: Place): string => `${PREFIX}${encodeURIComponent(service)}/${encodeURIComponent(id)}`;

const putOperation = (place: Place, registration: Registration, how: object): EtcdOperation => ({
  request_put: { key: toBase64(keyOf(place)), value: toBase64(JSON.stringify(registration)), ...how },
});

function parseRegistration({ value }: EtcdEntry): Registration | undefined {
  try {
    const registration = JSON.parse(value) as Registration;
    return typeof registration.url === "string" ? registration : undefined;
  } catch {
    return undefined;
  }
}

const unavailable = (cause: unknown): GatewayError =>
  new GatewayError("REGISTRY_UNAVAILABLE", "etcd does not answer; try again, or read with consistency=stale", {
    cause,
  });

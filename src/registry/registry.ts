import type { Catalog } from "./catalog.ts";
import type { InstanceStatus, Registration, RegistrationRequest } from "./registration.ts";

/**
 * `default`: this process's view, refused when it has lost touch with the store. `consistent`: nothing acknowledged
 * before the read is missing. `stale`: this process's view, however old.
 */
export type Consistency = "default" | "consistent" | "stale";

export interface Place {
  readonly service: string;
  readonly id: string;
}

/** Who asks for a change. */
export interface Actor {
  /** Name of the token; undefined where the registry has no tokens. */
  readonly owner: string | undefined;
  /** May change what belongs to others. */
  readonly isOperator: boolean;
}

export interface RegistryState {
  readonly store: "memory" | "lmdb" | "etcd";
  readonly index: number;
  readonly instances: number;
  /** Expired leases are kept, because too many ended at once. */
  readonly isPreserving: boolean;
  readonly kept: number;
  /** Milliseconds since the store was last heard of; 0 when the store is this process's own. */
  readonly lastContactMs: number;
}

/** What the API stands on: one process's own store, or a cluster's. Every `throws` is a GatewayError. */
export interface Registry {
  /** What this process knows, for reads and watches. */
  readonly catalog: Catalog;
  /** Resolves once it cannot be lost. @throws FORBIDDEN when the place is another's */
  register(place: Place, request: RegistrationRequest, actor: Actor): Promise<{ created: boolean; made: Registration }>;
  /** @param lease of the registration that is renewed, when the caller knows it @throws INSTANCE_UNKNOWN */
  renew(place: Place, actor: Actor, lease?: string): Promise<void>;
  setStatus(place: Place, status: InstanceStatus, actor: Actor): Promise<void>;
  deregister(place: Place, actor: Actor): Promise<void>;
  /** Resolves once the catalog may be read in that mode. @throws REGISTRY_UNAVAILABLE */
  ready(consistency: Consistency): Promise<void>;
  state(): RegistryState;
  close(): Promise<void>;
}

import type { Instance } from "../core/upstream.ts";

/** What a watcher is told. An empty list is an answer: the service is known to have no instance. */
export type InstanceListener = (instances: readonly Instance[]) => void;

/** Where instances are found. Every source passes one conformance suite. */
export interface DiscoverySource {
  readonly name: string;
  /**
   * Calls back with what is known as soon as it is, and at every change, until closed.
   * Never throws for a source that is away: the last known instances stand.
   */
  watch(service: string, listener: InstanceListener): Watch;
  close(): Promise<void>;
}

export interface Watch {
  /** Resolves once the first answer, or the failure to get one, is known. */
  readonly ready: Promise<void>;
  /** How old what is known is: 0 while in touch with the source, NaN when nothing was ever heard. */
  ageMs(): number;
  close(): void;
}

import type { Instance } from "../core/upstream.ts";
import type { TargetOptions } from "./options.ts";
import type { DiscoverySource } from "./source.ts";

/** Addresses written in a route file: they never change while the route stands. */
export function createStaticSource(targets: readonly TargetOptions[]): DiscoverySource {
  const instances: readonly Instance[] = targets.map(({ url, weight, zone, version }) => ({
    id: url,
    url,
    weight: weight ?? 1,
    zone,
    version,
    status: "up",
  }));
  return {
    name: "static",
    watch(_service, listener) {
      listener(instances);
      return { ready: Promise.resolve(), ageMs: () => 0, close() {} };
    },
    async close() {},
  };
}

import type { Config } from "../config/load.ts";
import { createRegistrySource } from "../discovery/registry.ts";
import type { DiscoverySource } from "../discovery/source.ts";
import { createStaticSource } from "../discovery/static.ts";

/** A registry that the gateway's own process runs. */
export interface OwnRegistry {
  readonly url: string;
  readonly token?: string | undefined;
}

/**
 * The discovery sources that a configuration asks for, by the name that `upstream.from` uses.
 * @param options.isDryRun nothing is connected to: every source is there and knows of nothing
 */
export function createSources(
  config: Config,
  options: { readonly isDryRun: boolean; readonly ownRegistry?: OwnRegistry | undefined },
): Map<string, DiscoverySource> {
  const { registry = {} } = config.options;
  const sources = new Map<string, DiscoverySource>();
  const add = (name: string, create: () => DiscoverySource): void => {
    sources.set(name, options.isDryRun ? createStaticSource([]) : create());
  };
  const { ownRegistry } = options;
  const urls = ownRegistry === undefined ? [registry.url ?? []].flat() : [ownRegistry.url];
  if (urls.length > 0 || registry.embedded !== undefined) {
    add("registry", () => createRegistrySource({ urls, token: ownRegistry?.token ?? registry.token }));
  }
  return sources;
}

import type { Config } from "../config/load.ts";
import type { DiscoverySource } from "../discovery/source.ts";

/** The discovery sources that a configuration asks for, by the name that `upstream.from` uses. */
export function createSources(_config: Config, _options: { readonly isDryRun: boolean }): Map<string, DiscoverySource> {
  return new Map();
}

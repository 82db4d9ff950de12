import { resolve } from "node:path";
import type { Config } from "../config/load.ts";
import { ConfigError } from "../config/problem.ts";
import { createConsulSource } from "../discovery/consul.ts";
import { createDnsSource } from "../discovery/dns.ts";
import { createEtcdSource } from "../discovery/etcd.ts";
import { type EtcdSecurity, type EtcdSecurityOptions, readEtcdSecurity } from "../discovery/etcd-security.ts";
import { createFileSource } from "../discovery/file.ts";
import { withLastKnown } from "../discovery/last-known.ts";
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
  const { registry = {}, discovery = {} } = config.options;
  const folder = resolve(config.folder, discovery.lastKnown?.folder ?? "./data/discovery");
  const lastKnown = { ...discovery.lastKnown, folder };
  const sources = new Map<string, DiscoverySource>();
  const add = (name: string, create: () => DiscoverySource): void => {
    sources.set(name, options.isDryRun ? createStaticSource([]) : withLastKnown(create(), lastKnown));
  };
  const { ownRegistry } = options;
  const urls = ownRegistry === undefined ? [registry.url ?? []].flat() : [ownRegistry.url];
  if (urls.length > 0 || registry.embedded !== undefined) {
    add("registry", () => createRegistrySource({ urls, token: ownRegistry?.token ?? registry.token }));
  }
  const { file, dns, etcd, consul } = discovery;
  if (file !== undefined) add("file", () => createFileSource({ path: resolve(config.folder, file.path) }));
  if (dns !== undefined) add("dns", () => createDnsSource(dns));
  if (etcd !== undefined) add("etcd", () => createEtcdSource({ ...etcd, security: readSecurity(config, etcd) }));
  if (consul !== undefined) add("consul", () => createConsulSource(consul));
  return sources;
}

/** @throws ConfigError naming the file that cannot be read */
function readSecurity({ source, folder }: Config, options: EtcdSecurityOptions): EtcdSecurity {
  try {
    return readEtcdSecurity(options, folder);
  } catch (error) {
    throw new ConfigError([source.problem(["discovery", "etcd"], `discovery.etcd: ${(error as Error).message}`)]);
  }
}

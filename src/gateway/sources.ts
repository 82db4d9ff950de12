import { resolve } from "node:path";
import type { Config } from "../config/load.ts";
import { ConfigError } from "../config/problem.ts";
import { type EtcdSecurity, type EtcdSecurityOptions, readEtcdSecurity } from "../discovery/etcd-security.ts";
import { withLastKnown } from "../discovery/last-known.ts";
import type { DiscoverySource } from "../discovery/source.ts";
import { createStaticSource } from "../discovery/static.ts";

/** A registry that the gateway's own process runs. */
export interface OwnRegistry {
  readonly url: string;
  readonly token?: string | undefined;
}

/**
 * The discovery sources that a configuration asks for, by the name that `upstream.from` uses. Each is loaded when asked for.
 * @param options.isDryRun nothing is connected to: every source is there and knows of nothing
 */
export async function createSources(
  config: Config,
  options: { readonly isDryRun: boolean; readonly ownRegistry?: OwnRegistry | undefined },
): Promise<Map<string, DiscoverySource>> {
  const { registry = {}, discovery = {} } = config.options;
  const folder = resolve(config.folder, discovery.lastKnown?.folder ?? "./data/discovery");
  const lastKnown = { ...discovery.lastKnown, folder };
  const sources = new Map<string, DiscoverySource>();
  const add = async (name: string, create: () => Promise<DiscoverySource>): Promise<void> => {
    sources.set(name, options.isDryRun ? createStaticSource([]) : withLastKnown(await create(), lastKnown));
  };
  const { ownRegistry } = options;
  const urls = ownRegistry === undefined ? [registry.url ?? []].flat() : [ownRegistry.url];
  if (urls.length > 0 || registry.embedded !== undefined) {
    await add("registry", async () => {
      const { createRegistrySource } = await import("../discovery/registry.ts");
      return createRegistrySource({ urls, token: ownRegistry?.token ?? registry.token });
    });
  }
  const { file, dns, etcd, consul } = discovery;
  if (file !== undefined) {
    const path = resolve(config.folder, file.path);
    await add("file", async () => (await import("../discovery/file.ts")).createFileSource({ path }));
  }
  if (dns !== undefined) await add("dns", async () => (await import("../discovery/dns.ts")).createDnsSource(dns));
  if (etcd !== undefined) {
    await add("etcd", async () => {
      const { createEtcdSource } = await import("../discovery/etcd.ts");
      return createEtcdSource({ ...etcd, security: readSecurity(config, etcd) });
    });
  }
  if (consul !== undefined) {
    await add("consul", async () => (await import("../discovery/consul.ts")).createConsulSource(consul));
  }
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

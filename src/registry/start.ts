import { randomBytes } from "node:crypto";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { AddressPolicy } from "../discovery/address-policy.ts";
import { type EtcdSecurityOptions, readEtcdSecurity } from "../discovery/etcd-security.ts";
import { Access } from "./access.ts";
import { EtcdRegistry } from "./etcd-registry.ts";
import type { PreservationOptions } from "./leases.ts";
import { LocalRegistry } from "./local-registry.ts";
import type { QuotaOptions } from "./quota.ts";
import type { Registry } from "./registry.ts";
import { createRegistryServer } from "./server.ts";

export interface RegistryOptions {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** Folder of the store; undefined keeps everything in memory. */
  readonly data?: string | undefined;
  /** Base URLs of an etcd cluster that keeps everything instead: any number of registries may share it. */
  readonly etcd?: readonly string[] | undefined;
  /** How that cluster lets the registry in; files are relative to the working directory. */
  readonly etcdSecurity?: EtcdSecurityOptions | undefined;
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly addresses?: { readonly allow?: readonly string[]; readonly deny?: readonly string[] } | undefined;
  readonly preservation?: PreservationOptions | undefined;
  readonly quotas?: QuotaOptions | undefined;
  readonly onError?: ((error: unknown) => void) | undefined;
}

export interface RunningRegistry {
  readonly url: string;
  /** Reads, and no more: for the gateway in the same process. */
  readonly readToken: string;
  readonly registry: Registry;
  /** Further ports that no instance may have. */
  addOwnPort(port: number): void;
  close(): Promise<void>;
}

/** A registry that listens. @throws RangeError for options that cannot be meant */
export async function startRegistry(options: RegistryOptions): Promise<RunningRegistry> {
  const readToken = randomBytes(24).toString("base64url");
  const access = new Access({ ...options, readToken });
  const addresses = new AddressPolicy(options.addresses);
  const { data, preservation, onError } = options;
  const registry =
    options.etcd === undefined
      ? new LocalRegistry({ data, preservation, onError })
      : await joinCluster(options.etcd, options.etcdSecurity);
  const server = await createRegistryServer({ registry, access, addresses, quotas: options.quotas, onError });
  let url: string;
  try {
    url = await listen(server, options.port ?? 8082, options.host ?? "127.0.0.1");
  } catch (error) {
    await registry.close();
    throw error;
  }
  addresses.addOwnPort(Number(new URL(url).port));
  return {
    url,
    readToken,
    registry,
    addOwnPort: (port) => addresses.addOwnPort(port),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      await registry.close();
    },
  };
}

async function joinCluster(endpoints: readonly string[], security: EtcdSecurityOptions = {}): Promise<Registry> {
  const registry = new EtcdRegistry(endpoints, readEtcdSecurity(security, "."));
  await registry.started;
  return registry;
}

async function listen(server: Server, port: number, host: string): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const { address, port: bound, family } = server.address() as AddressInfo;
  return `http://${family === "IPv6" ? `[${address}]` : address}:${bound}`;
}

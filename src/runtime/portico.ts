import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import type { Router } from "express";
import { loadConfig } from "../config/load.ts";
import { ConfigError } from "../config/problem.ts";
import { createGateway as createBareGateway, type Gateway, type GatewayOptions } from "../gateway/gateway.ts";
import type { Fallback } from "../gateway/handle.ts";
import { createWellKnownFallback } from "../gateway/well-known.ts";
import type { Spec } from "../openapi/operations.ts";
import { createPortalFallback } from "../portal/fallback.ts";
import { ApiKeyFile } from "../storage/api-key-file.ts";
import { createLogger } from "../telemetry/log.ts";
import { logFaults } from "../telemetry/log-faults.ts";
import { Metrics } from "../telemetry/metrics.ts";
import { renderDiscovery } from "./discovery-metrics.ts";

/** A gateway with all that its configuration asks for beside it: portal, admin API, embedded registry. */
export interface Portico extends Gateway {
  /** Base URL of the admin API, once it listens. */
  readonly adminUrl: string | undefined;
  /** Base URL of the embedded registry. */
  readonly registryUrl: string | undefined;
}

/**
 * A gateway from files or from values.
 * @throws ConfigError with everything that is wrong
 */
export async function createGateway(options: GatewayOptions = {}): Promise<Portico> {
  const { config, problems } = await loadConfig(options);
  if (problems.length > 0) throw new ConfigError(problems);
  const { admin, portal } = config.options;
  const metrics = new Metrics();
  const ownPages =
    portal === false ? undefined : createOwnPages(portal?.path ?? "/portal", () => gateway.current().specs);
  // Rooms that stand on Express or LMDB are opened when asked for: loading them is a tenth of a second of every start.
  const isEmbedded = config.options.registry?.embedded !== undefined;
  const registry = isEmbedded
    ? await (await import("../registry/embedded.ts")).startEmbeddedRegistry(config)
    : undefined;
  let gateway: Gateway;
  try {
    gateway = await createBareGateway({
      ...options,
      fallback: options.fallback ?? ownPages,
      ownRegistry: registry && { url: registry.url, token: registry.readToken },
    });
  } catch (error) {
    await registry?.close();
    throw error;
  }
  if (registry !== undefined) gateway.addOwnPort(portOf(registry.url));
  const stopLogging = logFaults(createLogger(), gateway.name);
  let adminServer: Server | undefined;
  let adminUrl: string | undefined;
  let isEnding = false;

  return {
    ...gateway,
    get adminUrl() {
      return adminUrl;
    },
    registryUrl: registry?.url,
    async listen() {
      if (admin !== undefined) {
        metrics.start(gateway.name);
        const { createAdminServer } = await import("../admin/server.ts");
        const { createServiceRouter } = await import("../admin/service-routes.ts");
        const { createCacheAdminRouter } = await import("../admin/cache-routes.ts");
        adminServer = createAdminServer({
          gateway,
          token: admin.token,
          metrics: () => metrics.render() + renderDiscovery(gateway) + gateway.meters.render(),
          isReady: () => !isEnding,
          routers: [
            createCacheAdminRouter(gateway.cache),
            createServiceRouter(gateway),
            ...(await apiKeyRouters(admin.apiKeys, config.folder)),
            ...(await consumerRouters(gateway)),
          ],
        });
        adminUrl = await listenOn(adminServer, admin.port ?? 8081, admin.host ?? "127.0.0.1");
        registry?.addOwnPort(portOf(adminUrl));
        gateway.addOwnPort(portOf(adminUrl));
      }
      const url = await gateway.listen();
      registry?.addOwnPort(portOf(url));
      return url;
    },
    async close(how) {
      isEnding = true;
      await gateway.close(how);
      await registry?.close();
      metrics.close();
      stopLogging();
      adminServer?.closeAllConnections();
      await new Promise<void>((resolve) =>
        adminServer === undefined ? resolve() : adminServer.close(() => resolve()),
      );
    },
  };
}

const portOf = (url: string): number => Number(new URL(url).port);

/** @returns the base URL @throws when the port is taken */
export async function listenOn(server: Server, port: number, host: string): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const { address, port: bound, family } = server.address() as AddressInfo;
  return `http://${family === "IPv6" ? `[${address}]` : address}:${bound}`;
}

async function apiKeyRouters(file: string | undefined, folder: string): Promise<Router[]> {
  if (file === undefined) return [];
  const { createApiKeyRouter } = await import("../admin/api-key-routes.ts");
  return [createApiKeyRouter(new ApiKeyFile(resolve(folder, file)))];
}

async function consumerRouters({ consumers }: Gateway): Promise<Router[]> {
  if (consumers === undefined) return [];
  const { createConsumerRouter } = await import("../admin/consumer-routes.ts");
  return [createConsumerRouter(consumers)];
}

/** What the gateway answers itself where no operation has the path: the portal, and what RFC 9727 asks for. */
function createOwnPages(path: string, specs: () => readonly Spec[]): Fallback {
  const portal = createPortalFallback(path, specs);
  const wellKnown = createWellKnownFallback(specs, path);
  return (exchange) => wellKnown(exchange) || portal(exchange);
}

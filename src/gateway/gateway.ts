import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import type { Cache } from "../caching/cache.ts";
import { createCache } from "../caching/create-cache.ts";
import { type Config, type ConfigInput, loadConfig } from "../config/load.ts";
import { ConfigError } from "../config/problem.ts";
import type { PorticoOptions } from "../config/schema.ts";
import { Pace } from "../core/pace.ts";
import { parseBytes } from "../core/units.ts";
import { AddressPolicy } from "../discovery/address-policy.ts";
import { UpstreamPools } from "../forwarding/http.ts";
import type { Logger } from "../pipeline/contract.ts";
import { KeptObjects } from "../pipeline/kept.ts";
import { createState } from "../storage/create-state.ts";
import { createLogger } from "../telemetry/log.ts";
import { PluginMeters } from "../telemetry/plugin-meters.ts";
import { checkListen } from "./check-listen.ts";
import { createTrustedProxies } from "./client-address.ts";
import { ConsumerAdmin, toOptions } from "./consumer-admin.ts";
import type { Consumers } from "./consumers.ts";
import { Front } from "./front.ts";
import type { Fallback } from "./handle.ts";
import { bind, createFrontServer } from "./listen.ts";
import { Overload } from "./overload.ts";
import { createRedirectServer } from "./redirect.ts";
import { DEFAULT_MAX_HEADERS } from "./server-limits.ts";
import { Services } from "./services.ts";
import { closeGracefully } from "./shutdown.ts";
import { buildSnapshot, type Snapshot } from "./snapshot.ts";

import { createSources, type OwnRegistry } from "./sources.ts";

import { Certificates } from "./tls.ts";

export interface GatewayOptions extends ConfigInput {
  /** Over the configuration's; 0 takes a free one. */
  readonly port?: number | undefined;
  /** Answers what no operation has a path for, such as the portal; without it, that is a 404. */
  readonly fallback?: Fallback | undefined;
  /** Where the registry listens that this process runs beside the gateway. */
  readonly ownRegistry?: OwnRegistry | undefined;
}

export interface Gateway {
  readonly server: Server;
  /** Its name in `Via`; `exchange.gateway` of every exchange that it took. */
  readonly name: string;
  /** What it has stored: `cache.purge({ kind: "tag", value: "pets", soft: false })`. */
  readonly cache: Cache;
  /** What its plugins measure. */
  readonly meters: PluginMeters;
  /** Makes and changes consumers; undefined without `admin.consumers`. */
  readonly consumers: ConsumerAdmin | undefined;
  /** Mounts the gateway in an Express 5 app: `app.use(gateway.middleware)`. What no operation matches goes on to `next`. */
  readonly middleware: (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void;
  /** Starts to answer. @returns the base URL */
  listen(): Promise<string>;
  /** Reads the configuration again; what is wrong keeps the old one serving. @throws ConfigError */
  reload(): Promise<void>;
  /** What answers now: the operations and the documents they come from. */
  current(): Pick<Snapshot, "routes" | "specs">;
  /** A port that this process listens on: no found instance may be there. */
  addOwnPort(port: number): void;
  /** What discovery told of each service, and how old that is. */
  knowledge(): ReturnType<Services["knowledge"]>;
  /** Every upstream service: its instances, their health, and how old what is known is. */
  services(): ReturnType<Services["report"]>;
  /** The configuration in force. */
  config(): Config;
  /** @param how patient: with `limits.drainSeconds`, and a moment for what idle connections have on their way */
  close(how?: { readonly isPatient?: boolean }): Promise<void>;
}

/** A request that was sent before its client saw the end of an idle connection is here by then. */
const IDLE_MS = 500;

/** A gateway from files or from values. @throws ConfigError with everything that is wrong */
export async function createGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const log = createLogger();
  const first = await loadConfig(options);
  const problems = [...first.problems, ...checkListen(first.config)];
  if (problems.length > 0) throw new ConfigError(problems);
  const addresses = new AddressPolicy(first.config.options.discovery?.addresses);
  const pools = new UpstreamPools((host, address, port) => addresses.findRefusalAtConnect(host, address, port));
  const sources = await createSources(first.config, { isDryRun: false, ownRegistry: options.ownRegistry });
  const store = await createState(first.config.options.store ?? {}, first.config.folder, log);
  const cache = await createCache(first.config.options.store ?? {}, first.config.folder);
  const services = new Services(sources, { log, addresses });
  const meters = new PluginMeters();
  const kept = new KeptObjects();
  const consumers = await openConsumers(first.config, () => front.snapshot.consumers, log);
  const build = async (config: Config, isBesideTraffic: boolean): Promise<Snapshot> => {
    kept.begin();
    const stored = consumers && new Map([...consumers.stored()].map(([name, kept]) => [name, toOptions(kept)]));
    const pace = isBesideTraffic ? Pace.besideTraffic() : Pace.inOneGo;
    const parts = { config, services, pools, log, cache, store, meters, kept, stored, pace };
    const { snapshot, problems } = await buildSnapshot(parts);
    if (problems.length === 0) return snapshot;
    await snapshot.close();
    throw new ConfigError(problems);
  };
  let config = first.config;
  const firstSnapshot = await build(config, false).catch(async (error: unknown) => {
    // Its connections would keep a process alive that does not start.
    await store.close();
    await consumers?.close();
    throw error;
  });
  const front = createFront(firstSnapshot, config.options, pools.pseudonym, options.fallback, log);
  await services.ready();
  services.releaseUnused();
  for (const { source, service, ageMs } of services.knowledge()) {
    if (Number.isNaN(ageMs))
      log.warn({ source, service }, "nothing is known of a service: its source does not answer yet");
  }

  const { listen = {}, limits = {} } = first.config.options;
  const certificates = listen.tls === undefined ? undefined : new Certificates(listen.tls, first.config.folder, log);
  const server = createFrontServer(front, listen, limits, certificates);
  const portOf = (): number => (server.address() as AddressInfo).port;
  const redirect =
    listen.redirectFrom === undefined || certificates === undefined ? undefined : createRedirectServer(portOf, limits);

  let closed: Promise<void> | undefined;
  const close = async (isPatient: boolean): Promise<void> => {
    redirect?.close();
    // A redirect is said at once: whoever is still there has not asked for one.
    redirect?.closeAllConnections();
    certificates?.close();
    await closeGracefully(server, front, {
      drainMs: isPatient ? (limits.drainSeconds ?? 0) * 1000 : 0,
      idleMs: isPatient ? IDLE_MS : 0,
      graceMs: (limits.shutdownSeconds ?? 30) * 1000,
    });
    await front.close();
    await services.close();
    pools.close();
    await cache.close();
    await store.close();
    await consumers?.close();
  };

  const reload = async (): Promise<void> => {
    const next = await loadConfig(options);
    if (next.problems.length > 0) throw new ConfigError(next.problems);
    const snapshot = await build(next.config, true);
    if (closed !== undefined) {
      await snapshot.close();
      return;
    }
    // A service that is new with this snapshot has instances before the first request asks for one.
    await services.ready();
    config = next.config;
    front.replace(snapshot).catch((error: unknown) => log.error({ err: error }, "an old snapshot did not close"));
    services.releaseUnused();
    kept.releaseUnused();
  };

  // One after the other: what is kept across reloads belongs to one of them at a time.
  let lastReload: Promise<void> = Promise.resolve();
  const reloadInTurn = (): Promise<void> => {
    const turn = lastReload.then(reload);
    lastReload = turn.catch(() => undefined);
    return turn;
  };

  return {
    server,
    name: pools.pseudonym,
    cache,
    meters,
    consumers,
    middleware: front.handle,
    async listen() {
      const host = listen.host ?? "127.0.0.1";
      const scheme = certificates === undefined ? "http" : "https";
      const base = await bind(server, options.port ?? listen.port ?? 8080, host, scheme);
      addresses.addOwnPort(Number(new URL(base).port));
      if (redirect !== undefined) await bind(redirect, listen.redirectFrom ?? 80, host, "http");
      return base;
    },
    addOwnPort: (port) => addresses.addOwnPort(port),
    knowledge: () => services.knowledge(),
    services: () => services.report(),
    async reload() {
      await (consumers === undefined ? reloadInTurn() : consumers.inTurn(reloadInTurn));
    },
    current: () => front.snapshot,
    config: () => config,
    close({ isPatient = false } = {}) {
      closed ??= close(isPatient);
      return closed;
    },
  };
}

/** The consumers of the admin API, where the configuration has a folder for them. */
async function openConsumers(
  { options, folder }: Config,
  current: () => Consumers,
  log: Logger,
): Promise<ConsumerAdmin | undefined> {
  if (options.admin?.consumers === undefined) return undefined;
  // LMDB is loaded when it is asked for.
  const { openConsumerStore } = await import("../storage/consumer-store.ts");
  return new ConsumerAdmin(openConsumerStore(resolve(folder, options.admin.consumers)), current, log);
}

function createFront(
  snapshot: Snapshot,
  { limits = {}, trustedProxies = [] }: PorticoOptions,
  pseudonym: string,
  fallback: Fallback | undefined,
  log: Logger,
): Front {
  return new Front(snapshot, {
    trusted: createTrustedProxies(trustedProxies),
    pseudonym,
    maxHeaders: limits.headers ?? DEFAULT_MAX_HEADERS,
    maxBodyBytes: parseBytes(limits.bodyBytes ?? "1MiB"),
    overload: new Overload({
      maxInFlight: limits.inFlight ?? 20_000,
      maxDelayMs: limits.eventLoopDelayMs ?? 1_000,
    }),
    fallback,
    log,
  });
}

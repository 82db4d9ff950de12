import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Cache } from "../caching/cache.ts";
import { createCache } from "../caching/create-cache.ts";
import { type Config, type ConfigInput, loadConfig } from "../config/load.ts";
import { ConfigError } from "../config/problem.ts";
import { parseBytes } from "../core/units.ts";
import { UpstreamPools } from "../forwarding/http.ts";
import { createLogger } from "../telemetry/log.ts";
import { type Fallback, handleRequest, toExchange } from "./handle.ts";
import { Services } from "./services.ts";
import { buildSnapshot, type Snapshot } from "./snapshot.ts";
import { createSources } from "./sources.ts";

export interface GatewayOptions extends ConfigInput {
  /** Over the configuration's; 0 takes a free one. */
  readonly port?: number | undefined;
  /** Answers what no operation has a path for, such as the portal; without it, that is a 404. */
  readonly fallback?: Fallback | undefined;
}

export interface Gateway {
  readonly server: Server;
  /** What it has stored: `cache.purge({ kind: "tag", value: "pets", soft: false })`. */
  readonly cache: Cache;
  /** Mounts the gateway in an Express 5 app: `app.use(gateway.middleware)`. What no operation matches goes on to `next`. */
  readonly middleware: (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void;
  /** Starts to answer. @returns the base URL */
  listen(): Promise<string>;
  /** Reads the configuration again; what is wrong keeps the old one serving. @throws ConfigError */
  reload(): Promise<void>;
  /** What answers now: the operations and the documents they come from. */
  current(): Pick<Snapshot, "routes" | "specs">;
  /** The configuration in force. */
  config(): Config;
  close(): Promise<void>;
}

/** A gateway from files or from values. @throws ConfigError with everything that is wrong */
export async function createGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const log = createLogger();
  const pools = new UpstreamPools();
  const first = await loadConfig(options);
  if (first.problems.length > 0) throw new ConfigError(first.problems);
  const services = new Services(createSources(first.config, { isDryRun: false }));
  const cache = createCache(first.config.options.store ?? {});
  const build = async (config: Config): Promise<Snapshot> => {
    const { snapshot, problems } = await buildSnapshot({ config, services, pools, log, cache });
    if (problems.length === 0) return snapshot;
    await snapshot.close();
    throw new ConfigError(problems);
  };
  let config = first.config;
  let snapshot = await build(config);
  await services.ready();

  const { listen = {}, limits = {} } = first.config.options;
  const idPrefix = randomBytes(6).toString("base64url");
  let count = 0;
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const peer = request.socket.remoteAddress ?? "";
    const exchange = toExchange(request, response, `${idPrefix}${(count++).toString(36)}`, { address: peer, peer });
    response.once("close", () => {
      if (!response.writableFinished) exchange.abort();
    });
    handleRequest(snapshot, exchange, options.fallback).catch((error: unknown) => {
      log.error({ err: error }, "an exchange failed after its answer began");
      response.destroy();
    });
  };
  const server = createServer(
    { maxHeaderSize: parseBytes(limits.headerBytes ?? "32KiB"), headersTimeout: 10_000, requestTimeout: 300_000 },
    onRequest,
  );

  return {
    server,
    cache,
    middleware: onRequest,
    async listen() {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(options.port ?? listen.port ?? 8080, listen.host ?? "127.0.0.1", resolve);
      });
      const { address, port, family } = server.address() as AddressInfo;
      return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
    },
    async reload() {
      const next = await loadConfig(options);
      if (next.problems.length > 0) throw new ConfigError(next.problems);
      const old = snapshot;
      snapshot = await build(next.config);
      config = next.config;
      await old.close();
    },
    current: () => snapshot,
    config: () => config,
    async close() {
      server.closeIdleConnections();
      if (server.listening) await new Promise<void>((resolve) => server.close(() => resolve()));
      await snapshot.close();
      await services.close();
      await pools.close();
      await cache.close();
    },
  };
}

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { RouteConfig } from "../config/load.ts";
import type { Problem } from "../config/problem.ts";
import type { OperationOptions } from "../config/schema.ts";
import type { Path } from "../config/source.ts";
import type { ConnectOptions, ResolvedTls } from "../forwarding/pools.ts";

/** How a route connects to its upstream, with the files of its TLS options read; what is wrong goes to `problems`. */
export function readConnectOptions(
  options: OperationOptions,
  route: RouteConfig,
  at: Path,
  problems: Problem[],
): ConnectOptions {
  const { ca, cert, key, serverName } = options.upstreamTls ?? {};
  const read = (name: string, file: string | undefined): Buffer | undefined => {
    if (file === undefined) return undefined;
    try {
      return readFileSync(resolve(route.folder, file));
    } catch {
      problems.push(route.source.problem([...at, name], `${at.join(".")}.${name} is "${file}"; it cannot be read`));
      return undefined;
    }
  };
  const tls: ResolvedTls | undefined =
    options.upstreamTls === undefined
      ? undefined
      : { serverName, ca: read("ca", ca), cert: read("cert", cert), key: read("key", key) };
  return {
    connectMs: options.timeouts?.connectMs,
    tls,
    http2: options.upstreamHttp2,
    connections: options.upstreamConnections,
  };
}

import type { RouteConfig } from "../config/load.ts";
import type { Problem } from "../config/problem.ts";
import type { OperationOptions, UpstreamOptions } from "../config/schema.ts";
import type { CredentialBook } from "../core/credentials.ts";
import type { PluginHost } from "./attach-plugins.ts";
import { createSideForward } from "./build-route.ts";
import { readConnectOptions } from "./connect-options.ts";
import type { SnapshotParts } from "./snapshot.ts";

/** What the gateway lends to the plugins of a route. @param options of the route, with the operation's own over them */
export function createPluginHost(
  parts: SnapshotParts,
  route: RouteConfig,
  options: OperationOptions & RouteConfig["options"],
  consumers: CredentialBook,
): PluginHost {
  const { log, store, meters, kept, services, pools, config } = parts;
  return {
    log,
    store,
    meters,
    kept,
    consumers,
    allowFaults: config.options.allowFaults === true,
    forwardTo(operation, upstream) {
      const problems: Problem[] = [];
      const balancer = services.balancerFor(upstream as UpstreamOptions, route, problems);
      const connect = readConnectOptions(options, route, ["upstreamTls"], problems);
      if (balancer === undefined || problems.length > 0) throw new Error(problems[0]?.message ?? "names no service");
      return createSideForward({ operation, options, pools, connect }, balancer);
    },
  };
}

/** The same for the plugins of a consumer, who belongs to no route and so to no service. */
export const createConsumerHost = ({
  log,
  store,
  meters,
  kept,
  config,
}: SnapshotParts): Omit<PluginHost, "consumers"> => ({
  log,
  store,
  meters,
  kept,
  allowFaults: config.options.allowFaults === true,
  forwardTo() {
    throw new Error("a consumer's plugin cannot send to another service; write it under the route");
  },
});

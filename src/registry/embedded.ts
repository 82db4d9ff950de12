import { resolve } from "node:path";
import type { Config } from "../config/load.ts";
import { createLogger } from "../telemetry/log.ts";
import { type RunningRegistry, startRegistry } from "./start.ts";

/** The registry that a gateway's configuration asks for in its own process; undefined when it asks for none. */
export async function startEmbeddedRegistry(config: Config): Promise<RunningRegistry | undefined> {
  const options = config.options.registry?.embedded;
  if (options === undefined) return undefined;
  const log = createLogger();
  return startRegistry({
    ...options,
    data: resolve(config.folder, options.data ?? "./data"),
    tokenFile: options.tokenFile === undefined ? undefined : resolve(config.folder, options.tokenFile),
    onError: (error) => log.error({ err: error }, "the registry failed"),
  });
}

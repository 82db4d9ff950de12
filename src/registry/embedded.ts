import { resolve } from "node:path";
import type { Config } from "../config/load.ts";
import { ConfigError } from "../config/problem.ts";
import type { EtcdSecurityOptions } from "../discovery/etcd-security.ts";
import { createLogger } from "../telemetry/log.ts";
import { type RunningRegistry, startRegistry } from "./start.ts";

/** The registry that a gateway's configuration asks for in its own process; undefined when it asks for none. */
export async function startEmbeddedRegistry(config: Config): Promise<RunningRegistry | undefined> {
  const options = config.options.registry?.embedded;
  if (options === undefined) return undefined;
  const log = createLogger();
  const running = startRegistry({
    ...options,
    data: resolve(config.folder, options.data ?? "./data"),
    tokenFile: options.tokenFile === undefined ? undefined : resolve(config.folder, options.tokenFile),
    etcdSecurity: options.etcdSecurity && inFolder(options.etcdSecurity, config.folder),
    onError: (error) => log.error({ err: error }, "the registry failed"),
  });
  return running.catch((error: unknown) => {
    throw explain(error, config, options.port ?? 8082);
  });
}

/** What the operator can mend is said in the words of the configuration. */
function explain(error: unknown, { source }: Config, port: number): unknown {
  const at = ["registry", "embedded"];
  const { code } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE")
    return new ConfigError([
      source.problem(
        [...at, "port"],
        `registry.embedded.port is ${port}; another program listens there: choose another`,
      ),
    ]);
  if (code === "EACCES" || code === "EADDRNOTAVAIL")
    return new ConfigError([source.problem(at, `registry.embedded cannot listen (${code}); change its host or port`)]);
  if (error instanceof RangeError) return new ConfigError([source.problem(at, `registry.embedded: ${error.message}`)]);
  return error;
}

/** Files are relative to the configuration's. */
const inFolder = ({ ca, cert, key, ...rest }: EtcdSecurityOptions, folder: string): EtcdSecurityOptions => ({
  ...rest,
  ca: ca && resolve(folder, ca),
  cert: cert && resolve(folder, cert),
  key: key && resolve(folder, key),
});

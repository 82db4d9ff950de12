import { createCache } from "../caching/create-cache.ts";
import { type ConfigInput, loadConfig } from "../config/load.ts";
import type { Problem } from "../config/problem.ts";
import { UpstreamPools } from "../forwarding/http.ts";
import { createDryState } from "../storage/create-state.ts";
import { createLogger } from "../telemetry/log.ts";
import { Services } from "./services.ts";
import { buildSnapshot } from "./snapshot.ts";
import { createSources } from "./sources.ts";

/** Everything that is wrong with a configuration, found by building it whole and letting it go. */
export async function checkConfig(input: ConfigInput): Promise<{ problems: Problem[]; operations: number }> {
  const { config, problems } = await loadConfig(input);
  const pools = new UpstreamPools();
  const services = new Services(createSources(config, { isDryRun: true }));
  const store = createDryState(config.options.store ?? {});
  const built = await buildSnapshot({ config, services, pools, log: createLogger(), cache: createCache({}), store });
  await built.snapshot.close();
  await services.close();
  await pools.close();
  return { problems: [...problems, ...built.problems], operations: built.snapshot.routes.length };
}

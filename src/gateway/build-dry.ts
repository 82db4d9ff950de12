import { createCache } from "../caching/create-cache.ts";
import { type ConfigInput, loadConfig } from "../config/load.ts";
import type { Problem } from "../config/problem.ts";
import { Pace } from "../core/pace.ts";
import { UpstreamPools } from "../forwarding/http.ts";
import { KeptObjects } from "../pipeline/kept.ts";
import { createDryState } from "../storage/create-state.ts";
import { createLogger } from "../telemetry/log.ts";
import { PluginMeters } from "../telemetry/plugin-meters.ts";
import { checkListen } from "./check-listen.ts";
import { Services } from "./services.ts";
import { buildSnapshot, type Snapshot } from "./snapshot.ts";
import { createSources } from "./sources.ts";

/** A configuration built whole, as it would run, and let go: nothing listens, connects or is stored. */
export async function buildDry(input: ConfigInput): Promise<{ snapshot: Snapshot; problems: Problem[] }> {
  const { config, problems } = await loadConfig(input);
  const pools = new UpstreamPools();
  const services = new Services(await createSources(config, { isDryRun: true }));
  const store = createDryState(config.options.store ?? {});
  const cache = await createCache({});
  const built = await buildSnapshot({
    config,
    services,
    pools,
    log: createLogger(),
    cache,
    store,
    meters: new PluginMeters(),
    kept: new KeptObjects(),
    pace: Pace.inOneGo,
    stored: config.options.admin?.consumers === undefined ? undefined : new Map(),
  });
  await built.snapshot.close();
  await services.close();
  pools.close();
  return { snapshot: built.snapshot, problems: [...problems, ...checkListen(config), ...built.problems] };
}

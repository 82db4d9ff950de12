import { createCache } from "../caching/create-cache.ts";
import { type ConfigInput, loadConfig } from "../config/load.ts";
import type { Problem } from "../config/problem.ts";
import { UpstreamPools } from "../forwarding/http.ts";
import { lintSpec } from "../openapi/lint.ts";
import type { Spec } from "../openapi/operations.ts";
import { locateAll } from "../openapi/positions.ts";
import { createDryState } from "../storage/create-state.ts";
import { createLogger } from "../telemetry/log.ts";
import { Services } from "./services.ts";
import { buildSnapshot } from "./snapshot.ts";
import { createSources } from "./sources.ts";

export interface Checked {
  /** What keeps a gateway from starting. */
  readonly problems: Problem[];
  /** What is allowed, and probably not meant. */
  readonly warnings: Problem[];
  readonly operations: number;
}

/** Everything that is wrong with a configuration, found by building it whole and letting it go. */
export async function checkConfig(input: ConfigInput): Promise<Checked> {
  const { config, problems } = await loadConfig(input);
  const pools = new UpstreamPools();
  const services = new Services(createSources(config, { isDryRun: true }));
  const store = createDryState(config.options.store ?? {});
  const built = await buildSnapshot({
    config,
    services,
    pools,
    log: createLogger(),
    cache: await createCache({}),
    store,
  });
  await built.snapshot.close();
  await services.close();
  await pools.close();
  return {
    problems: [...problems, ...built.problems],
    warnings: built.snapshot.specs.flatMap(toWarnings),
    operations: built.snapshot.routes.length,
  };
}

/** Positions are found for all findings of a file at once: for each alone, a large file would be read each time. */
function toWarnings(spec: Spec): Problem[] {
  const findings = lintSpec(spec);
  if (findings.length === 0) return [];
  const { file } = spec.info;
  const places = locateAll(
    file,
    findings.map(({ pointer }) => pointer),
  );
  return findings.map(({ pointer, message }) => ({ ...(places.get(pointer) ?? { file }), message }));
}

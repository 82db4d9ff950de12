import { createCache } from "../caching/create-cache.ts";
import { type ConfigInput, loadConfig } from "../config/load.ts";
import type { Problem } from "../config/problem.ts";
import { UpstreamPools } from "../forwarding/http.ts";
import { findNormalisedPath } from "../routing/normalise.ts";
import { createDryState } from "../storage/create-state.ts";
import { createLogger } from "../telemetry/log.ts";
import type { BuiltRoute } from "./build-route.ts";
import { Services } from "./services.ts";
import { buildSnapshot } from "./snapshot.ts";
import { createSources } from "./sources.ts";

/**
 * The operation that would answer a request, built as it would run, and nothing run.
 * @param path of a request, or the template as the spec has it behind its prefix
 */
export async function explainRequest(
  input: ConfigInput,
  method: string,
  path: string,
  host = "",
): Promise<{ problems: Problem[]; route: BuiltRoute | undefined }> {
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
  const { router, routes } = built.snapshot;
  const named = routes.find(({ operation }) => operation.method === method && operation.publicPath === path);
  const normal = findNormalisedPath(path);
  const match = normal === undefined ? undefined : router.match(host, method, normal);
  const route = named ?? (match?.kind === "found" ? match.value : undefined);
  return { problems: [...problems, ...built.problems], route };
}

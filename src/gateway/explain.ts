import type { ConfigInput } from "../config/load.ts";
import type { Problem } from "../config/problem.ts";
import { findNormalisedPath } from "../routing/normalise.ts";
import { buildDry } from "./build-dry.ts";
import type { BuiltRoute } from "./build-route.ts";

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
  const { snapshot, problems } = await buildDry(input);
  const { router, routes } = snapshot;
  const named = routes.find(({ operation }) => operation.method === method && operation.publicPath === path);
  const normal = findNormalisedPath(path);
  const match = normal === undefined ? undefined : router.match(host, method, normal);
  const route = named ?? (match?.kind === "found" ? match.value : undefined);
  return { problems, route };
}

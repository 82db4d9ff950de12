import type { ConfigInput } from "../config/load.ts";
import type { Problem } from "../config/problem.ts";
import { lintSpec } from "../openapi/lint.ts";
import type { Spec } from "../openapi/operations.ts";
import { locateAll } from "../openapi/positions.ts";
import { buildDry } from "./build-dry.ts";

export interface Checked {
  /** What keeps a gateway from starting. */
  readonly problems: Problem[];
  /** What is allowed, and probably not meant. */
  readonly warnings: Problem[];
  readonly operations: number;
}

/** Everything that is wrong with a configuration, found by building it whole and letting it go. */
export async function checkConfig(input: ConfigInput): Promise<Checked> {
  const { snapshot, problems } = await buildDry(input);
  return {
    problems,
    warnings: snapshot.specs.flatMap(toWarnings),
    operations: snapshot.routes.length,
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

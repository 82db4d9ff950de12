import type { ConfigInput } from "../config/load.ts";
import { distinct, type Problem } from "../config/problem.ts";
import { lintSpec } from "../openapi/lint.ts";
import type { Spec } from "../openapi/operations.ts";
import { locateAll } from "../openapi/positions.ts";
import { lintExamples } from "../validating/lint-examples.ts";
import { buildDry } from "./build-dry.ts";
import type { Snapshot } from "./snapshot.ts";

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
    problems: distinct([...problems, ...compileAll(snapshot)]),
    warnings: [...findIdle(snapshot, problems), ...distinct(snapshot.specs.flatMap(toWarnings))],
    operations: snapshot.routes.length,
  };
}

/** A gateway that answers nothing is allowed: its routes may be on their way. */
function findIdle({ routes }: Snapshot, problems: readonly Problem[]): Problem[] {
  if (routes.length > 0 || problems.length > 0) return [];
  return [
    { file: "routes", message: "there are no operations: every request is a 404; portico init writes a route file" },
  ];
}

/** Positions are found for all findings of a file at once: for each alone, a large file would be read each time. */
function toWarnings(spec: Spec): Problem[] {
  const findings = [...lintSpec(spec), ...lintExamples(spec)];
  const warnings: Problem[] = [];
  for (const file of new Set(findings.map((finding) => finding.file))) {
    const own = findings.filter((finding) => finding.file === file);
    const places = locateAll(
      file,
      own.map(({ pointer }) => pointer),
    );
    for (const { pointer, message } of own) warnings.push({ ...(places.get(pointer) ?? { file }), message });
  }
  return warnings;
}

/** Schemas are compiled when an operation is first used: here all are, so that what cannot be is known before that. */
function compileAll({ routes }: Snapshot): Problem[] {
  const problems: Problem[] = [];
  for (const { operation, prepare } of routes) {
    try {
      prepare?.();
    } catch (error) {
      const message = `a schema of ${operation.method} ${operation.path} cannot be compiled: ${(error as Error).message}`;
      problems.push({ ...operation.location, message });
    }
  }
  return problems;
}

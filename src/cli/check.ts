import { parseArgs } from "node:util";
import { formatPlace, formatProblem } from "../config/problem.ts";
import { checkConfig } from "../gateway/check-config.ts";

/** `portico check`: reads everything and runs nothing; exit code 1 when something is wrong. Warnings leave it 0, but not with `--strict`. */
export async function check(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { config: { type: "string" }, strict: { type: "boolean" } } });
  const { problems, warnings, operations } = await checkConfig({ file: values.config });
  for (const warning of warnings) {
    process.stderr.write(`${formatPlace(warning)} warning: ${warning.message}\n`);
  }
  for (const problem of problems) process.stderr.write(`${formatProblem(problem)}\n`);
  if (problems.length > 0) {
    process.stderr.write(`${problems.length} problem${problems.length === 1 ? "" : "s"}\n`);
    return 1;
  }
  if (values.strict === true && warnings.length > 0) {
    process.stderr.write(`${warnings.length} warning${warnings.length === 1 ? "" : "s"}\n`);
    return 1;
  }
  process.stdout.write(`ok: ${operations} operations\n`);
  return 0;
}

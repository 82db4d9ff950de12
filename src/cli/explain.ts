import { parseArgs } from "node:util";
import { formatProblem } from "../config/problem.ts";
import type { BuiltRoute } from "../gateway/build-route.ts";
import { explainRequest } from "../gateway/explain.ts";

/** `portico explain GET /petstore/pets`: what a request meets on its way, and what the cache makes of it. */
export async function explain(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { config: { type: "string" }, host: { type: "string" } },
  });
  const [method, path] = positionals;
  if (method === undefined || path === undefined) {
    process.stderr.write("write portico explain METHOD PATH, e.g. portico explain GET /petstore/pets\n");
    return 2;
  }
  const { problems, route } = await explainRequest({ file: values.config }, method.toUpperCase(), path, values.host);
  for (const problem of problems) process.stderr.write(`${formatProblem(problem)}\n`);
  if (problems.length > 0) return 1;
  if (route === undefined) {
    process.stderr.write(`no operation answers ${method.toUpperCase()} ${path}; portico check counts what there is\n`);
    return 1;
  }
  process.stdout.write(toText(route));
  return 0;
}

function toText({ operation, stack, caching }: BuiltRoute): string {
  const { file, line } = operation.location;
  const lines = [
    `${operation.method} ${operation.publicPath}  (${operation.id})`,
    `  described in ${file}${line === undefined ? "" : `:${line}`}`,
    "  stack, outermost first:",
    ...stack.map(({ phase, name }) => `    ${phase.padEnd(14)} ${name}`),
    `    ${"forward".padEnd(14)} upstream`,
  ];
  if (caching.key.length > 0) lines.push(`  cache key: ${caching.key.join(", ")}`);
  if (caching.invalidates.length > 0)
    lines.push("  a success invalidates:", ...caching.invalidates.map((p) => `    ${p}`));
  return `${lines.join("\n")}\n`;
}

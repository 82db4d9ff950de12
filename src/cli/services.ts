import { parseArgs } from "node:util";
import { loadConfig } from "../config/load.ts";
import type { ServiceReport } from "../gateway/service-report.ts";

/** `portico services`: what the running gateway knows of its upstreams. */
export async function services(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { config: { type: "string" }, url: { type: "string" }, json: { type: "boolean" } },
  });
  const { admin } = (await loadConfig({ file: values.config })).config.options;
  const base = values.url ?? `http://${admin?.host ?? "127.0.0.1"}:${admin?.port ?? 8081}`;
  try {
    const response = await fetch(`${base}/v1/services`, { headers: { Authorization: `Bearer ${admin?.token ?? ""}` } });
    const answer: unknown = await response.json();
    if (response.ok)
      process.stdout.write(values.json === true ? `${JSON.stringify(answer)}\n` : toText(answer as ServiceReport[]));
    else process.stderr.write(`refused (${response.status}): ${(answer as { detail?: string }).detail}\n`);
    return response.ok ? 0 : 1;
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as { code?: string };
    process.stderr.write(
      `no admin API answers at ${base} (${code ?? (error as Error).message}); is the gateway running?\n`,
    );
    return 1;
  }
}

function toText(reports: readonly ServiceReport[]): string {
  const lines: string[] = [];
  for (const { service, source, ageSeconds, balancing } of reports) {
    const age = ageSeconds === null ? "never heard of" : ageSeconds === 0 ? "in touch" : `heard ${ageSeconds} s ago`;
    lines.push(`${service} (${source}, ${age})`);
    for (const { policy, breaker, isPanicking, instances } of balancing) {
      const well = instances.filter(({ state }) => state === "up").length;
      const more = `${breaker === null ? "" : `, breaker ${breaker}`}${isPanicking ? ", health is not believed" : ""}`;
      lines.push(`  ${policy}: ${well} of ${instances.length} up${more}`);
      for (const { id, url, state, inFlight, lastChange } of instances) {
        const why =
          state === "up" || lastChange?.event !== "out" ? "" : ` since ${lastChange.at}: ${lastChange.reason}`;
        lines.push(`    ${state.padEnd(12)} ${id}  ${url}  ${inFlight} in flight${why}`);
      }
    }
  }
  return `${lines.join("\n")}\n`;
}

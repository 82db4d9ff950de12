import { parseArgs } from "node:util";
import type { ServiceReport } from "../gateway/service-report.ts";
import { askAdmin } from "./ask-admin.ts";

/** `portico services`: what the running gateway knows of its upstreams. */
export async function services(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { config: { type: "string" }, url: { type: "string" }, json: { type: "boolean" } },
  });
  return askAdmin(values, "/v1/services", {}, (answer) =>
    values.json === true ? `${JSON.stringify(answer)}\n` : toText(answer as ServiceReport[]),
  );
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

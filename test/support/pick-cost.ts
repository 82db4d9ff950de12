import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { BalanceOptions } from "../../src/balancing/options.ts";
import { exchangeOf, instancesOf, serviceOf } from "./balancing.ts";

const PAGE = "docs/balancing.md";
const POLICIES = ["least-busy", "round-robin", "random", "peak-ewma", "hash"] as const;

/** Nanoseconds of a pick and its report, the best of some rounds: what the machine's other work adds is not the balancer's. */
export function measurePick(
  policy: NonNullable<BalanceOptions["policy"]>,
  instances: number,
  weights: boolean,
): number {
  const { service } = serviceOf(
    instancesOf(instances).map((instance, i) => ({ ...instance, weight: weights ? 1 + (i % 5) : 1 })),
    { balance: { policy, hash: { header: "x-user" } } },
  );
  const exchange = exchangeOf({ headers: { "x-user": "somebody" } });
  const outcome = { kind: "response", status: 200, latencyMs: 5 } as const;
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 12; round++) {
    const startedAt = process.hrtime.bigint();
    for (let i = 0; i < 20_000; i++) {
      const endpoint = service.pick(exchange, []);
      if (endpoint !== undefined) service.report(endpoint, outcome);
    }
    best = Math.min(best, Number(process.hrtime.bigint() - startedAt) / 20_000);
  }
  service.close();
  return Math.round(best);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const rows = POLICIES.map(
    (policy) =>
      `| \`${policy}\` | ${measurePick(policy, 10, false)} | ${measurePick(policy, 1_000, false)} | ${measurePick(policy, 1_000, true)} |`,
  );
  const table = [
    "| ns for a pick and its report | 10 instances | 1,000 | 1,000 of five weights |",
    "| --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
  const page = readFileSync(PAGE, "utf8");
  const start = "<!-- pick-cost -->";
  const from = page.indexOf(start) + start.length;
  writeFileSync(PAGE, `${page.slice(0, from)}\n${table}\n${page.slice(page.indexOf("<!-- /pick-cost -->"))}`);
  process.stdout.write(`${table}\n`);
}

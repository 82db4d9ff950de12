import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import type { TestContext } from "node:test";
import { quantile, type Shot, startLoad, until, watchTries } from "./load.ts";

const PAGE = "docs/resilience.md";

/** A row of the table in docs/resilience.md. */
export interface ProofRow {
  readonly fault: string;
  readonly requests: number;
  readonly failed: number;
  /** Tries that met the fault after it happened. */
  readonly badTries: number;
  readonly lastBadPickMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Fault {
  /** As the table names it. */
  readonly fault: string;
  readonly url: string;
  readonly perSecond: number;
  /** Requests before the fault and after it. */
  readonly before: number;
  readonly after: number;
  /** Makes it happen. */
  strike(): Promise<unknown>;
  /** Where a pick is a bad one once it has happened. Undefined: no pick can be. */
  readonly badUrl?: string | undefined;
  /** Even a pick that is answered well is a bad one there. */
  readonly isLeft?: boolean | undefined;
  /** Time from a bad pick until it is known as such, to be taken off. */
  readonly knownAfterMs?: number | undefined;
}

/** Strikes under load. @returns every answer, and the row */
export async function prove(t: TestContext, fault: Fault): Promise<{ shots: readonly Shot[]; row: ProofRow }> {
  const watch = watchTries();
  t.after(() => watch.stop());
  const load = startLoad(fault.url, fault.perSecond);
  await until(`${fault.before} answers`, () => load.shots.length >= fault.before, 60_000);
  const struckAtMs = performance.now();
  await fault.strike();
  const answered = load.shots.length;
  await until(`${fault.after} more answers`, () => load.shots.length >= answered + fault.after, 60_000);
  const shots = await load.stop();
  watch.stop();
  const bad = watch.tries.filter(
    ({ url, kind, status, atMs }) =>
      url === fault.badUrl && (fault.isLeft === true || kind !== "response" || status >= 500) && atMs >= struckAtMs,
  );
  const lastBadPickMs = bad.reduce(
    (last, { atMs }) => Math.max(last, atMs - struckAtMs - (fault.knownAfterMs ?? 0)),
    0,
  );
  const after = shots.filter(({ startedAtMs }) => startedAtMs >= struckAtMs).map(({ latencyMs }) => latencyMs);
  const row: ProofRow = {
    fault: fault.fault,
    requests: shots.length,
    failed: shots.filter(({ status }) => status !== 200).length,
    badTries: bad.length,
    lastBadPickMs: Math.round(lastBadPickMs),
    p50Ms: Math.round(quantile(after, 0.5)),
    p99Ms: Math.round(quantile(after, 0.99)),
  };
  t.diagnostic(JSON.stringify(row));
  return { shots, row };
}

/** Writes the rows into the page between their marks, when `PORTICO_PROOF=write` asks for it. @param mark names the table */
export function writeRows(mark: string, rows: readonly ProofRow[]): void {
  if (process.env.PORTICO_PROOF !== "write") return;
  const table = [
    "| what happens | requests | failed | tries that met it | last bad pick after | p50 / p99 from then on |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rows.map(
      (row) =>
        `| ${row.fault} | ${row.requests} | ${row.failed} | ${row.badTries} | ${row.lastBadPickMs} ms | ${row.p50Ms} / ${row.p99Ms} ms |`,
    ),
    "",
    `Node ${process.versions.node}, ${availableParallelism()} cores of ${cpus()[0]?.model ?? "an unknown processor"}, gateway and load in one process.`,
  ].join("\n");
  const page = readFileSync(PAGE, "utf8");
  const [start, end] = [`<!-- ${mark} -->`, `<!-- /${mark} -->`];
  const from = page.indexOf(start) + start.length;
  writeFileSync(PAGE, `${page.slice(0, from)}\n${table}\n${page.slice(page.indexOf(end))}`);
}

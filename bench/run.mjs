// Measures Portico and its peers in turn. `node run.mjs [scenario …]`; BENCH_SECONDS sets the length of each measurement,
// BENCH_PEERS=a,b leaves the other peers out. A run of all scenarios writes RESULTS.md, and with BENCH_KEEP=1 one of some
// puts their sections in place of those that stand there.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { generator, load } from "./load.mjs";
import { isInstalled } from "./peers/native.mjs";
import { cpuSeconds, freePort, residentMiB, start, untilAnswers } from "./process.mjs";
import { scenarios, startUp } from "./scenarios.mjs";

const seconds = Number(process.env.BENCH_SECONDS ?? 5);
const peers = (process.env.BENCH_PEERS ?? "").split(",").filter((name) => name !== "");
const wanted = process.argv.slice(2);
const isWanted = ({ name }) => wanted.length === 0 || wanted.includes(name);
const lines = [];
const say = (line = "") => {
  lines.push(line);
  console.log(line);
};
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

async function measure(scenario, words, upstream) {
  const port = await freePort();
  const child = start(words(port, upstream), 0);
  try {
    await untilAnswers(port, scenario.ready ?? scenario.request.path, { headers: scenario.request.headers, child });
    // Long enough that what is compiled in idle time after the start is compiled: the steady state is measured.
    await load({ port, ...scenario.request, seconds: 5 });
    const before = cpuSeconds(child.pid);
    const result = await load({ port, ...scenario.request, seconds });
    const micros = ((cpuSeconds(child.pid) - before) * 1e6) / result.requests;
    return { ...result, micros, rssMiB: residentMiB(child.pid, "VmHWM") };
  } finally {
    await child.stop();
  }
}

async function runScenario(scenario, upstream) {
  say(`\n## ${scenario.title}\n`);
  const rows = new Map();
  for (let round = 0; round < scenario.rounds; round++) {
    for (const [name, { words, needs }] of Object.entries(scenario.peers)) {
      if (needs !== undefined && !isInstalled(needs)) continue;
      if (peers.length > 0 && name !== "portico" && !peers.some((part) => name.startsWith(part))) continue;
      try {
        const row = await measure(scenario, words, upstream);
        rows.set(name, [...(rows.get(name) ?? []), row]);
      } catch (error) {
        if (round === 0) console.log(`(${name}: ${error.message})`);
      }
    }
  }
  const of = (name, key) => median(rows.get(name).map((row) => row[key]));
  say("| who | CPU µs/request | Portico's ratio to it | requests/s | p50 ms | p99 ms | peak MiB | failed |");
  say("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
  // Pair by pair in each round, so that a machine whose speed drifts does not decide.
  const ratio = (name) =>
    median(rows.get(name).map((row, i) => (rows.get("portico")[i]?.micros ?? Number.NaN) / row.micros));
  for (const name of rows.keys()) {
    const cells = [
      of(name, "micros").toFixed(1),
      name === "portico" ? "" : ratio(name).toFixed(2),
      of(name, "perSecond").toFixed(0),
    ];
    cells.push(
      of(name, "p50Ms").toFixed(2),
      of(name, "p99Ms").toFixed(2),
      of(name, "rssMiB").toFixed(0),
      String(of(name, "failed")),
    );
    say(`| ${name} | ${cells.join(" | ")} |`);
  }
  for (const [name, bar] of Object.entries(scenario.bars)) {
    if (!rows.has(name) || !rows.has("portico")) continue;
    const reached = ratio(name);
    say(`\n${reached <= bar ? "Reached" : "NOT reached"}: ${reached.toFixed(2)} × ${name}, where ${bar} is the bar.`);
  }
}

async function runStartUp(upstream) {
  say(`\n## ${startUp.title}\n`);
  say("| who | ms to first answer | MiB then |");
  say("| --- | ---: | ---: |");
  for (const [name, { words }] of Object.entries(startUp.peers)) {
    const port = await freePort();
    const from = performance.now();
    const child = start(words(port, upstream), 0);
    try {
      await untilAnswers(port, startUp.path, { timeoutMs: 60_000, child });
      say(`| ${name} | ${(performance.now() - from).toFixed(0)} | ${residentMiB(child.pid).toFixed(0)} |`);
    } catch (error) {
      say(`| ${name} | ${error.message} | |`);
    } finally {
      await child.stop();
    }
  }
}

/** @returns `before` with the sections of `now` in the place of those of the same title, and the others at the end */
function withSections(before, now) {
  const toSections = (text) => text.split(/\n(?=## )/).map((section) => section.trimEnd());
  const sections = new Map(toSections(before).map((section) => [section.split("\n", 1)[0], section]));
  for (const section of toSections(now)) sections.set(section.split("\n", 1)[0], section);
  return `${[...sections.values()].join("\n\n")}\n`;
}

const upstreamPort = await freePort();
const upstream = start(
  [process.execPath, new URL("./upstream.mjs", import.meta.url).pathname, String(upstreamPort)],
  1,
);
await untilAnswers(upstreamPort, "/hello");
say("# Results of the last run\n");
say(`${cpus()[0].model}, ${cpus().length} cores, Linux ${release()}, Node ${process.version}, load by ${generator}.`);
say(
  `Each gateway on one core, the load and the upstream on another; 64 keep-alive connections, ${seconds} s after a warm-up, median of rounds.`,
);
say(
  "CPU is what the operating system counts for the gateway's processes. Read the ratios; absolute times are this machine's.",
);
for (const scenario of scenarios.filter(isWanted)) await runScenario(scenario, upstreamPort);
if (isWanted(startUp)) await runStartUp(upstreamPort);
// What a table of requests cannot say is a file of its own in scenarios/: { name, title, run({ say, seconds, upstreamPort }) }.
for (const file of readdirSync(new URL("./scenarios/", import.meta.url)).sort()) {
  const { scenario } = await import(new URL(`./scenarios/${file}`, import.meta.url).href);
  if (!isWanted(scenario)) continue;
  say(`\n## ${scenario.title}\n`);
  await scenario.run({ say, seconds, upstreamPort });
}
await upstream.stop();
const kept = new URL("./RESULTS.md", import.meta.url);
if (wanted.length === 0) writeFileSync(kept, `${lines.join("\n")}\n`);
else if (process.env.BENCH_KEEP) writeFileSync(kept, withSections(readFileSync(kept, "utf8"), `${lines.join("\n")}\n`));
process.exit(0);

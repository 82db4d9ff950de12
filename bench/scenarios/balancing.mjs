import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, start, untilAnswers } from "../process.mjs";

const SECONDS = 12;
const PER_SECOND = 80;
const SERVICE_MS = 10;
const SLOW_FACTOR = 10;
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const PAGE = join(root, "docs/balancing.md");
const [START, END] = ["<!-- quality -->", "<!-- /quality -->"];

/** How well policies choose when one of ten instances is ten times as slow. `PORTICO_PROOF=write` puts the table into docs/balancing.md. */
export const scenario = {
  name: "balancing",
  title: `One of ten instances is ${SLOW_FACTOR} times slower`,
  async run({ say }) {
    const lines = [
      `Each instance serves one request after another, ${SERVICE_MS} ms on average, the slow one ${SLOW_FACTOR * SERVICE_MS}; ${PER_SECOND} requests a second for ${SECONDS} s.`,
      "",
      "| policy | p50 | p99 | of round robin's p99 | the slow one's share | furthest from an even share | failed |",
      "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ];
    const results = new Map();
    for (const policy of ["round-robin", "least-busy", "peak-ewma"]) {
      const result = await measure(policy);
      results.set(policy, result);
      const ratio = result.p99 / results.get("round-robin").p99;
      const cells = [
        `${result.p50.toFixed(0)} ms`,
        `${result.p99.toFixed(0)} ms`,
        `${(ratio * 100).toFixed(0)} %`,
        `${(result.slowShare * 100).toFixed(1)} %`,
        policy === "round-robin" ? `${(result.deviation * 100).toFixed(1)} %` : "",
        String(result.failed),
      ];
      lines.push(`| ${policy} | ${cells.join(" | ")} |`);
    }
    for (const line of lines) say(line);
    const [robin, busy, ewma] = results.values();
    const isEven = robin.deviation <= 0.02;
    say(`\n${isEven ? "Reached" : "NOT reached"}: round robin is within 2 % of even shares.`);
    const isBetter = busy.p99 < robin.p99 && ewma.p99 < robin.p99;
    say(`\n${isBetter ? "Reached" : "NOT reached"}: least-busy and peak-ewma have a lower p99 than round robin.`);
    if (process.env.PORTICO_PROOF === "write") writeTable(lines.join("\n"));
  },
};

async function measure(policy) {
  const folder = mkdtempSync(join(tmpdir(), "portico-bench-"));
  const services = await Promise.all(Array.from({ length: 10 }, (_, i) => startService(i === 0 ? SLOW_FACTOR : 1)));
  const port = await freePort();
  const gateway = start(configure(folder, port, policy, services), 0);
  try {
    await untilAnswers(port, "/things", { child: gateway });
    for (const service of services) service.count = 0;
    const { latencies, failed } = await shoot(port);
    latencies.sort((a, b) => a - b);
    const counts = services.map(({ count }) => count);
    const total = counts.reduce((sum, count) => sum + count, 0);
    return {
      p50: latencies[Math.floor(latencies.length * 0.5)],
      p99: latencies[Math.floor(latencies.length * 0.99)],
      slowShare: counts[0] / total,
      deviation: Math.max(...counts.map((count) => Math.abs((count * counts.length) / total - 1))),
      failed,
    };
  } finally {
    await gateway.stop();
    for (const service of services) service.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Serves one after another; how long each takes is exponentially distributed. */
async function startService(factor) {
  let freeAt = 0;
  const server = createServer((_, response) => {
    self.count++;
    const now = performance.now();
    freeAt = Math.max(now, freeAt) - Math.log(1 - Math.random()) * SERVICE_MS * factor;
    setTimeout(() => response.end("{}"), freeAt - now);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const self = {
    count: 0,
    url: `http://127.0.0.1:${server.address().port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
  return self;
}

function configure(folder, port, policy, services) {
  mkdirSync(join(folder, "routes"));
  const paths = { "/things": { get: { responses: { 200: { description: "ok" } } } } };
  writeFileSync(
    join(folder, "spec.json"),
    JSON.stringify({ openapi: "3.1.0", info: { title: "x", version: "1" }, paths }),
  );
  const route = {
    openapi: join(folder, "spec.json"),
    cache: { mode: "off" },
    upstream: { targets: services.map(({ url }) => ({ url })), balance: { policy } },
  };
  writeFileSync(join(folder, "routes/route.json"), JSON.stringify(route));
  writeFileSync(join(folder, "portico.yaml"), JSON.stringify({ listen: { port } }));
  const main = join(root, "dist/src/cli/main.js");
  return [process.execPath, main, "start", "--config", join(folder, "portico.yaml")];
}

/** At random times, as clients come, whatever the answers do. */
async function shoot(port) {
  const agent = new Agent({ keepAlive: true });
  const latencies = [];
  const under = [];
  let failed = 0;
  const one = () =>
    new Promise((resolve) => {
      const from = performance.now();
      const end = (status) => {
        if (status === 200) latencies.push(performance.now() - from);
        else failed++;
        resolve();
      };
      request({ agent, host: "127.0.0.1", port, path: "/things" }, (response) => {
        response.resume();
        response.on("end", () => end(response.statusCode));
      })
        .on("error", () => end(0))
        .end();
    });
  const endsAt = performance.now() + SECONDS * 1_000;
  for (let next = performance.now(); next < endsAt; next += (-Math.log(1 - Math.random()) * 1_000) / PER_SECOND) {
    const wait = next - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    under.push(one());
  }
  await Promise.all(under);
  agent.destroy();
  return { latencies, failed };
}

function writeTable(table) {
  const page = readFileSync(PAGE, "utf8");
  const from = page.indexOf(START) + START.length;
  writeFileSync(PAGE, `${page.slice(0, from)}\n${table}\n${page.slice(page.indexOf(END))}`);
}

import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { load } from "../load.mjs";
import { cpuSeconds, freePort, start, untilAnswers } from "../process.mjs";
import { order, spec } from "../validated-spec.mjs";

const BAR_MICROS = 6;
const ROUNDS = 7;
const main = fileURLToPath(new URL("../../dist/src/cli/main.js", import.meta.url));
const request = {
  path: "/orders?dryRun=true",
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: order,
};

/** What checking a query parameter and a 2 KB JSON body costs: the same route with `request: enforce` and `request: off`. */
export const scenario = {
  name: "validation",
  title: "Validation of parameters and a 2 KB JSON body: the same route with and without it",
  async run({ say, seconds, upstreamPort }) {
    const off = await startWith("off", upstreamPort);
    const enforce = await startWith("enforce", upstreamPort);
    const length = Math.min(seconds, 2);
    try {
      for (const side of [off, enforce]) await load({ port: side.port, ...request, seconds: 3 });
      const differences = [];
      const without = [];
      for (let round = 0; round < ROUNDS; round++) {
        const base = await micros(off, length);
        differences.push((await micros(enforce, length)) - base);
        without.push(base);
      }
      const cost = median(differences);
      say("| what | CPU µs/request |");
      say("| --- | ---: |");
      say(`| request: off | ${median(without).toFixed(1)} |`);
      say(`| request: enforce, more | ${cost.toFixed(1)} |`);
      say(
        `\n${cost <= BAR_MICROS ? "Reached" : "NOT reached"}: ${cost.toFixed(1)} µs (median of ${ROUNDS} pairs), where ${BAR_MICROS} µs is the bar.`,
      );
    } finally {
      await off.child.stop();
      await enforce.child.stop();
    }
  },
};

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

async function startWith(mode, upstreamPort) {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "portico-validation-"));
  mkdirSync(join(folder, "routes"));
  writeFileSync(join(folder, "spec.json"), JSON.stringify(spec));
  const route = {
    openapi: "../spec.json",
    upstream: { targets: [{ url: `http://127.0.0.1:${upstreamPort}` }] },
    validate: { request: mode, response: "off" },
    cache: { mode: "off" },
  };
  writeFileSync(join(folder, "routes/orders.json"), JSON.stringify(route));
  writeFileSync(join(folder, "portico.yaml"), JSON.stringify({ listen: { port } }));
  const child = start([process.execPath, main, "start", "--config", join(folder, "portico.yaml")], 0);
  await untilAnswers(port, "/orders", { child });
  return { port, child };
}

async function micros({ port, child }, seconds) {
  const before = cpuSeconds(child.pid);
  const { requests } = await load({ port, ...request, seconds });
  return ((cpuSeconds(child.pid) - before) * 1e6) / requests;
}

import { fileURLToPath } from "node:url";
import { load } from "../load.mjs";
import { isInstalled, native } from "../peers/native.mjs";
import { portico } from "../portico.mjs";
import { cpuSeconds, freePort, start, untilAnswers } from "../process.mjs";

const peer = (name) => (port, upstream) => [
  process.execPath,
  fileURLToPath(new URL(`../peers/${name}.mjs`, import.meta.url)),
  String(port),
  String(upstream),
];
const gateways = {
  portico: (port, upstream) => portico("bodies", port, upstream),
  "http-proxy": peer("http-proxy"),
  nginx: (port, upstream) => native.nginx(port, upstream, { bodyBytes: "16m" }),
};
const ROUNDS = 3;
/** So much of the processor goes by in it that the ticks in which it is counted do not show. */
const MAX_SECONDS = 3;
const MEGABYTE = 1024 * 1024;
const AT_ONCE = 8;

/** 64 KB and 10 MB, to the client and from it: CPU for each megabyte. */
export const scenario = {
  name: "bodies",
  title: "Bodies of 64 KB and 10 MB, both ways: CPU µs for each MB",
  async run({ say, seconds, upstreamPort }) {
    const names = Object.keys(gateways).filter((name) => name !== "nginx" || isInstalled("nginx"));
    const running = {};
    try {
      for (const name of names) {
        const port = await freePort();
        running[name] = { port, child: start(gateways[name](port, upstreamPort), 0), failed: 0 };
        await untilAnswers(port, "/bytes/1", { child: running[name].child });
      }
      // What is compiled in idle time after the start is no part of it.
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      say(`| what | ${names.join(" | ")} | Portico's ratio to http-proxy |`);
      say(`| --- | ${names.map(() => "---:").join(" | ")} | ---: |`);
      const ratios = [];
      for (const bytes of [65_536, 10 * MEGABYTE]) {
        for (const way of ["down", "up"])
          ratios.push(await compare(say, running, names, bytes, way, Math.min(MAX_SECONDS, seconds)));
      }
      say(`\nFailed, or answered after 2 s: ${names.map((name) => `${name} ${running[name].failed}`).join(", ")}.`);
      const worst = Math.max(...ratios);
      say(`\n${worst <= 1 ? "Reached" : "NOT reached"}: at most ${worst.toFixed(2)} × http-proxy, where 1 is the bar.`);
    } finally {
      for (const { child } of Object.values(running)) await child.stop();
    }
  },
};

async function compare(say, running, names, bytes, way, seconds) {
  const request =
    way === "down" ? { path: `/bytes/${bytes}` } : { path: "/bytes/2", method: "POST", body: "x".repeat(bytes) };
  const micros = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const name of names) {
      const { port, child } = running[name];
      const before = cpuSeconds(child.pid);
      const { requests, failed } = await load({ port, ...request, seconds, connections: AT_ONCE });
      running[name].failed += failed;
      const used = cpuSeconds(child.pid) - before;
      // The first round warms up: compiling takes V8 more than the first thousands of bodies do.
      if (round > 0) micros[name].push((used * 1e6) / ((requests * bytes) / MEGABYTE));
    }
  }
  const ratio = median(micros.portico.map((value, i) => value / micros["http-proxy"][i]));
  const size = bytes < MEGABYTE ? "64 KB" : "10 MB";
  say(
    `| ${size} ${way === "down" ? "to the client" : "from the client"} | ${names.map((name) => median(micros[name]).toFixed(0)).join(" | ")} | ${ratio.toFixed(2)} |`,
  );
  return ratio;
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

import { Agent, request } from "node:http";
import { fileURLToPath } from "node:url";
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
const ROUNDS = 2;
const MEGABYTE = 1024 * 1024;
const AT_ONCE = 8;

/** 64 KB and 10 MB, to the client and from it: CPU for each megabyte. */
export const scenario = {
  name: "bodies",
  title: "Bodies of 64 KB and 10 MB, both ways: CPU µs for each MB",
  async run({ say, upstreamPort }) {
    const names = Object.keys(gateways).filter((name) => name !== "nginx" || isInstalled("nginx"));
    const running = {};
    try {
      for (const name of names) {
        const port = await freePort();
        running[name] = { port, child: start(gateways[name](port, upstreamPort), 0) };
        await untilAnswers(port, "/bytes/1", { child: running[name].child });
      }
      // What is compiled in idle time after the start is no part of it.
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      say(`| what | ${names.join(" | ")} | Portico's ratio to http-proxy |`);
      say(`| --- | ${names.map(() => "---:").join(" | ")} | ---: |`);
      const ratios = [];
      for (const bytes of [65_536, 10 * MEGABYTE]) {
        for (const way of ["down", "up"]) ratios.push(await compare(say, running, names, bytes, way));
      }
      const worst = Math.max(...ratios);
      say(`\n${worst <= 1 ? "Reached" : "NOT reached"}: at most ${worst.toFixed(2)} × http-proxy, where 1 is the bar.`);
    } finally {
      for (const { child } of Object.values(running)) await child.stop();
    }
  },
};

async function compare(say, running, names, bytes, way) {
  const micros = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const name of names) {
      const { port, child } = running[name];
      const before = cpuSeconds(child.pid);
      const megabytes = await transfer(port, bytes, way);
      // The first round warms up.
      if (round > 0) micros[name].push(((cpuSeconds(child.pid) - before) * 1e6) / megabytes);
    }
  }
  const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
  const ratio = median(micros.portico.map((value, i) => value / micros["http-proxy"][i]));
  const size = bytes < MEGABYTE ? "64 KB" : "10 MB";
  say(
    `| ${size} ${way === "down" ? "to the client" : "from the client"} | ${names.map((name) => median(micros[name]).toFixed(0)).join(" | ")} | ${ratio.toFixed(2)} |`,
  );
  return ratio;
}

/** @returns megabytes that went through */
async function transfer(port, bytes, way) {
  const count = bytes < MEGABYTE ? 800 : 16;
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const body = Buffer.alloc(way === "up" ? bytes : 0, "x");
  let left = count;
  const work = async () => {
    while (left-- > 0) await once(port, agent, way === "up" ? "/bytes/2" : `/bytes/${bytes}`, body);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  agent.destroy();
  return (count * bytes) / MEGABYTE;
}

const once = (port, agent, path, body) =>
  new Promise((resolve, reject) => {
    const method = body.length > 0 ? "POST" : "GET";
    const asking = request({
      port,
      host: "127.0.0.1",
      path,
      method,
      agent,
      headers: { "Content-Length": body.length },
    });
    asking.on("response", (response) => {
      if (response.statusCode >= 300) reject(new Error(`answered ${response.statusCode}`));
      response.resume();
      response.on("end", resolve);
      response.on("error", reject);
    });
    asking.on("error", reject);
    asking.end(body);
  });

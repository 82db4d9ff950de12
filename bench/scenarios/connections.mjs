import { setTimeout as delay } from "node:timers/promises";
import { startClient } from "../clients/client.mjs";
import { isInstalled, native } from "../peers/native.mjs";
import { portico } from "../portico.mjs";
import { cpuSeconds, freePort, residentMiB, start, untilAnswers } from "../process.mjs";

const COUNT = 10_000;
const PER_SECOND = 2_000;
const BAR_MIB = 300;
const peers = {
  portico: (port, upstream) => portico("plain", port, upstream),
  "http-proxy": (port, upstream) => [
    process.execPath,
    new URL("../peers/http-proxy.mjs", import.meta.url).pathname,
    String(port),
    String(upstream),
  ],
  nginx: (port, upstream) => native.nginx(port, upstream, { connections: 16_384 }),
};

export const scenario = {
  name: "connections",
  title: `${COUNT.toLocaleString("en")} keep-alive clients, ${PER_SECOND.toLocaleString("en")} requests a second over all of them`,
  async run({ say, seconds, upstreamPort }) {
    say("| who | open | MiB while idle | MiB in traffic | CPU µs/request | p50 ms | p99 ms | failed |");
    say("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let heldMiB = Number.NaN;
    let held = 0;
    for (const [name, words] of Object.entries(peers)) {
      if (name === "nginx" && !isInstalled("nginx")) continue;
      const port = await freePort();
      const child = start(words(port, upstreamPort), 0);
      let client;
      try {
        await untilAnswers(port, "/hello", { child });
        client = startClient("hold", port, COUNT, PER_SECOND);
        const { open } = await client.ready;
        await delay(2_000);
        const idleMiB = residentMiB(child.pid);
        const before = cpuSeconds(child.pid);
        client.tell();
        await delay(seconds * 1000);
        const { requests, failed, p50Ms, p99Ms } = await client.ask();
        const micros = ((cpuSeconds(child.pid) - before) * 1e6) / requests;
        const cells = [idleMiB.toFixed(0), residentMiB(child.pid).toFixed(0), micros.toFixed(1)];
        say(`| ${name} | ${open} | ${[...cells, p50Ms.toFixed(2), p99Ms.toFixed(2), failed].join(" | ")} |`);
        if (name === "portico") [heldMiB, held] = [idleMiB, open];
      } finally {
        client?.stop();
        await child.stop();
      }
    }
    const isReached = held === COUNT && heldMiB < BAR_MIB;
    say(
      `\n${isReached ? "Reached" : "NOT reached"}: ${held} idle connections are held in ${heldMiB.toFixed(0)} MiB, where ${COUNT} in ${BAR_MIB} are the bar.`,
    );
  },
};

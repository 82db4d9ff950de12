import { setTimeout as delay } from "node:timers/promises";
import { startClient } from "../clients/client.mjs";
import { portico } from "../portico.mjs";
import { cpuSeconds, freePort, residentMiB, start, untilAnswers } from "../process.mjs";

const OPEN = 5_000;
const BUSY = 64;
const BAR = 1.5;
const program = (name) => new URL(`../peers/${name}.mjs`, import.meta.url).pathname;
const peers = {
  portico: (port, upstream) => portico("websocket", port, upstream),
  "http-proxy": (port, upstream) => [process.execPath, program("http-proxy-websocket"), String(port), String(upstream)],
};

export const scenario = {
  name: "websocket",
  title: `WebSocket: ${BUSY} clients that echo 64 bytes, then ${OPEN.toLocaleString("en")} open sockets`,
  async run({ say, seconds }) {
    const upstreamPort = await freePort();
    const upstream = start([process.execPath, program("websocket-echo"), String(upstreamPort)], 1);
    await untilAnswers(upstreamPort, "/");
    const micros = new Map();
    say("| who | messages/s | CPU µs/message | open | MiB then | failed |");
    say("| --- | ---: | ---: | ---: | ---: | ---: |");
    for (const [name, words] of Object.entries(peers)) {
      const port = await freePort();
      const child = start(words(port, upstreamPort), 0);
      const clients = [];
      try {
        await untilAnswers(port, "/hello", { child });
        const busy = startClient("echo", port, BUSY, BUSY);
        clients.push(busy);
        await busy.ready;
        await delay(2_000);
        const from = await busy.ask();
        const before = cpuSeconds(child.pid);
        await delay(seconds * 1000);
        const to = await busy.ask();
        const messages = to.echoes - from.echoes;
        micros.set(name, ((cpuSeconds(child.pid) - before) * 1e6) / messages);
        busy.stop();
        const idle = startClient("echo", port, OPEN, 0);
        clients.push(idle);
        const { open } = await idle.ready;
        await delay(1_000);
        const cells = [(messages / seconds).toFixed(0), micros.get(name).toFixed(1), open];
        say(`| ${name} | ${[...cells, residentMiB(child.pid).toFixed(0), to.failed].join(" | ")} |`);
      } finally {
        for (const client of clients) client.stop();
        await child.stop();
      }
    }
    await upstream.stop();
    const ratio = micros.get("portico") / micros.get("http-proxy");
    say(
      `\n${ratio <= BAR ? "Reached" : "NOT reached"}: ${ratio.toFixed(2)} × bare http-proxy, which follows no frames, where ${BAR} is the bar.`,
    );
  },
};

import cannon from "autocannon";
import { load } from "../load.mjs";
import { isInstalled, native } from "../peers/native.mjs";
import { portico } from "../portico.mjs";
import { freePort, start, untilAnswers } from "../process.mjs";

const peers = {
  portico: (port, upstream) => portico("plain", port, upstream),
  "http-proxy": (port, upstream) => [
    process.execPath,
    new URL("../peers/http-proxy.mjs", import.meta.url).pathname,
    String(port),
    String(upstream),
  ],
  nginx: (port, upstream) => native.nginx(port, upstream),
};
const CONNECTIONS = 64;

/** What a client waits when a gateway has half of the work that it could do: the same work for all, half of http-proxy's most. */
export const scenario = {
  name: "half-load",
  title: "Latency at half load: half the requests a second that http-proxy can do",
  async run({ say, seconds, upstreamPort }) {
    let perSecond = 0;
    const started = async (name) => {
      const port = await freePort();
      const child = start(peers[name](port, upstreamPort), 0);
      await untilAnswers(port, "/hello", { child });
      return { port, child };
    };
    const full = await started("http-proxy");
    try {
      await load({ port: full.port, path: "/hello", seconds: 2, connections: CONNECTIONS });
      const { perSecond: most } = await load({ port: full.port, path: "/hello", seconds, connections: CONNECTIONS });
      perSecond = Math.round(most / 2);
    } finally {
      await full.child.stop();
    }
    say(`${perSecond} requests a second, sent at an even rate over ${CONNECTIONS} connections.\n`);
    say("| who | p50 ms | p99 ms | p99.9 ms | failed |");
    say("| --- | ---: | ---: | ---: | ---: |");
    const p99 = new Map();
    for (const name of Object.keys(peers)) {
      if (name === "nginx" && !isInstalled("nginx")) continue;
      const { port, child } = await started(name);
      try {
        const url = `http://127.0.0.1:${port}/hello`;
        await load({ port, path: "/hello", seconds: 3, connections: CONNECTIONS });
        const { latency, errors, non2xx } = await cannon({
          url,
          connections: CONNECTIONS,
          overallRate: perSecond,
          duration: seconds,
        });
        p99.set(name, latency.p99);
        say(`| ${name} | ${latency.p50} | ${latency.p99} | ${latency.p99_9} | ${errors + non2xx} |`);
      } finally {
        await child.stop();
      }
    }
    const [ours, theirs] = [p99.get("portico"), p99.get("http-proxy")];
    say(
      `\n${ours <= theirs ? "Reached" : "NOT reached"}: p99 of ${ours} ms, where http-proxy's ${theirs} ms is the bar.`,
    );
  },
};

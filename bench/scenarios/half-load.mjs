import { setTimeout as delay } from "node:timers/promises";
import { startClient } from "../clients/client.mjs";
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
const ROUNDS = 5;
const MAX_SECONDS = 3;
const WARM_UP_SECONDS = 3;

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
    say(
      `${perSecond} requests a second, sent at an even rate over ${CONNECTIONS} connections; median of ${ROUNDS} rounds.\n`,
    );
    say("| who | p50 ms | p99 ms | p99.9 ms | failed |");
    say("| --- | ---: | ---: | ---: | ---: |");
    const rounds = await measureInTurn(started, perSecond, Math.min(MAX_SECONDS, seconds));
    const of = (name, key) => median(rounds.get(name).map((round) => round[key]));
    for (const [name, each] of rounds) {
      const cells = ["p50Ms", "p99Ms", "p999Ms"].map((key) => of(name, key).toFixed(2));
      say(`| ${name} | ${cells.join(" | ")} | ${each.reduce((sum, { failed }) => sum + failed, 0)} |`);
    }
    const [ours, theirs] = [of("portico", "p99Ms"), of("http-proxy", "p99Ms")];
    say(
      `\n${ours <= theirs ? "Reached" : "NOT reached"}: p99 of ${ours.toFixed(2)} ms, where http-proxy's ${theirs.toFixed(2)} ms is the bar.`,
    );
  },
};

/** One gateway after the other in each round, so that what else the machine does falls on all of them. @returns rounds by name */
async function measureInTurn(started, perSecond, seconds) {
  const running = new Map();
  const rounds = new Map();
  try {
    for (const name of Object.keys(peers)) {
      if (name === "nginx" && !isInstalled("nginx")) continue;
      const { port, child } = await started(name);
      const gateway = { child, client: undefined };
      running.set(name, gateway);
      rounds.set(name, []);
      await load({ port, path: "/hello", seconds: WARM_UP_SECONDS, connections: CONNECTIONS });
      gateway.client = startClient("steady", port, CONNECTIONS, perSecond);
      await gateway.client.ready;
    }
    for (let round = 0; round <= ROUNDS; round++) {
      for (const [name, { client }] of running) {
        client.tell();
        await delay(seconds * 1000);
        const said = await client.ask();
        // The first round warms up, the client too.
        if (round > 0) rounds.get(name).push(said);
      }
    }
  } finally {
    for (const { child, client } of running.values()) {
      client?.stop();
      await child.stop();
    }
  }
  return rounds;
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

import { fileURLToPath } from "node:url";
import { added, compare, median, word } from "../compare.mjs";
import { portico } from "../portico.mjs";

const file = fileURLToPath(new URL("../peers/limited.mjs", import.meta.url));
const peer = (framework) => [
  (port, upstream) => [process.execPath, file, String(port), String(upstream), framework],
  (port, upstream) => [process.execPath, file, String(port), String(upstream), framework, "limited"],
];
const limiters = {
  "portico rate-limit": [
    (port, upstream) => portico("answered", port, upstream),
    (port, upstream) => portico("limited", port, upstream),
  ],
  "express-rate-limit": peer("express"),
  "@fastify/rate-limit": peer("fastify"),
  "rate-limiter-flexible on node:http": peer("flexible"),
};

/** What each limiter adds to an answer of its own framework, by address, with the fields that tell the client of it. */
export const scenario = {
  name: "limiters",
  title: "Rate limiters in memory, each on the framework it is made for",
  async run({ say, seconds, upstreamPort }) {
    say("| limiter | without, CPU µs/request | with | it adds |");
    say("| --- | ---: | ---: | ---: |");
    const costs = [];
    for (const [name, [free, limited]] of Object.entries(limiters)) {
      const options = { upstreamPort, seconds: Math.min(seconds, 3), rounds: 3, warmUpSeconds: 2 };
      const micros = await compare({ free, limited }, { path: "/hello" }, options);
      costs.push(added(micros.limited, micros.free));
      say(
        `| ${name} | ${median(micros.free).toFixed(1)} | ${median(micros.limited).toFixed(1)} | ${costs.at(-1).toFixed(1)} |`,
      );
    }
    const [ours, ...theirs] = costs;
    const least = Math.min(...theirs);
    say(
      `\n${word(ours <= least)}: Portico's adds ${ours.toFixed(1)} µs, the least of the others ${least.toFixed(1)} µs.`,
    );
  },
};

import { added, compare, median, word } from "../compare.mjs";
import { portico } from "../portico.mjs";

const BAR_MICROS = 2;
const ways = {
  off: (port, upstream) => portico("plain", port, upstream),
  on: (port, upstream) => portico("missed", port, upstream),
};

/** What the cache adds to a request that it cannot answer. */
export const scenario = {
  name: "miss",
  title: "Cache miss: an answer that cannot be stored, and one that is",
  async run({ say, seconds, upstreamPort }) {
    say("| answer | cache off, CPU µs | cache on, CPU µs | the miss adds |");
    say("| --- | ---: | ---: | ---: |");
    const rows = [
      ["not storable, one path", { path: "/hello" }],
      ["not storable, a new URL each time", { path: "/hello", isNumbered: true }],
      ["stored, a new URL each time", { path: "/cached", isNumbered: true }],
    ];
    const words = [];
    for (const [name, request] of rows) {
      const { off, on } = await compare(ways, request, { upstreamPort, seconds, rounds: 3, warmUpSeconds: 3 });
      const more = added(on, off);
      say(`| ${name} | ${median(off).toFixed(1)} | ${median(on).toFixed(1)} | ${more.toFixed(1)} |`);
      words.push(`${word(more <= BAR_MICROS)}: ${more.toFixed(1)} µs for "${name}", where ${BAR_MICROS} is the bar.`);
    }
    for (const line of words) say(`\n${line}`);
  },
};

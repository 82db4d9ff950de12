import { added, alternate, median, word } from "../compare.mjs";
import { portico } from "../portico.mjs";

const BAR_MICROS = 2;
const ROUNDS = 15;
/** More than are stored at most (`memoryEntries`): from there on each that is stored evicts another. */
const WARM_UP_REQUESTS = 120_000;
const ways = {
  off: (port, upstream) => portico("plain", port, upstream),
  on: (port, upstream) => portico("missed", port, upstream),
};

/** What the cache adds to a request that it cannot answer, once it is full. */
export const scenario = {
  name: "miss",
  title: "Cache miss: an answer that cannot be stored, and one that is",
  async run({ say, upstreamPort }) {
    say("| answer | cache off, CPU µs | cache on, CPU µs | the miss adds | of which in Portico's own code |");
    say("| --- | ---: | ---: | ---: | ---: |");
    const rows = [
      ["not storable, one path", { path: "/hello" }],
      ["not storable, a new URL each time", { path: "/hello", isNumbered: true }],
      ["stored, a new URL each time", { path: "/cached", isNumbered: true }],
    ];
    const words = [];
    for (const [name, request] of rows) {
      const { off, on } = await alternate(ways, request, {
        upstreamPort,
        rounds: ROUNDS,
        warmUpRequests: WARM_UP_REQUESTS,
      });
      const more = added(on.all, off.all);
      const cells = [median(off.all), median(on.all), more, added(on.own, off.own)];
      say(`| ${name} | ${cells.map((micros) => micros.toFixed(1)).join(" | ")} |`);
      words.push(`${word(more <= BAR_MICROS)}: ${more.toFixed(1)} µs for "${name}", where ${BAR_MICROS} is the bar.`);
    }
    for (const line of words) say(`\n${line}`);
  },
};

import { added, alternate, median, word } from "../compare.mjs";
import { portico } from "../portico.mjs";

const BAR_MICROS = 2;
/** Two starts of one program differ by more than what is measured: of each way there are several. */
const STARTS = 5;
const ROUNDS = 5;
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
    say(`Of ${STARTS} starts of each way the median, and what the miss added in each of them.\n`);
    say(
      "| answer | cache off, CPU µs | cache on, CPU µs | the miss adds | of which in Portico's own code | start by start |",
    );
    say("| --- | ---: | ---: | ---: | ---: | --- |");
    const rows = [
      ["not storable, one path", { path: "/hello" }],
      ["not storable, a new URL each time", { path: "/hello", isNumbered: true }],
      ["stored, a new URL each time", { path: "/cached", isNumbered: true }],
    ];
    const words = [];
    for (const [name, request] of rows) {
      const starts = [];
      for (let i = 0; i < STARTS; i++) starts.push(await measure(request, upstreamPort));
      const [off, on, more, own] = ["off", "on", "more", "own"].map((key) => median(starts.map((start) => start[key])));
      const each = starts.map((start) => start.more.toFixed(1)).join(", ");
      say(`| ${name} | ${[off, on, more, own].map((micros) => micros.toFixed(1)).join(" | ")} | ${each} |`);
      words.push(`${word(more <= BAR_MICROS)}: ${more.toFixed(1)} µs for "${name}", where ${BAR_MICROS} is the bar.`);
    }
    for (const line of words) say(`\n${line}`);
  },
};

async function measure(request, upstreamPort) {
  const { off, on } = await alternate(ways, request, {
    upstreamPort,
    rounds: ROUNDS,
    warmUpRequests: WARM_UP_REQUESTS,
  });
  return { off: median(off.all), on: median(on.all), more: added(on.all, off.all), own: added(on.own, off.own) };
}

import { added, alternate, median, word } from "../compare.mjs";
import { portico } from "../portico.mjs";

const BAR_MICROS = 2;
/** Two starts of one program differ by more than what is measured: of each way there are several. */
const STARTS = 5;
const ROUNDS = 5;
const WAIT_ROUNDS = 24;
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
    say(
      `Of ${STARTS} starts of each way the median, and what the miss added in each of them. First what a client that sends one`,
    );
    say(
      "request after another waits for its answer, then the processor's time with 64 connections that never pause.\n",
    );
    const waits = ["| answer | cache off, wait µs | cache on, wait µs | the miss adds | start by start |"];
    waits.push("| --- | ---: | ---: | ---: | --- |");
    const times = [
      "| answer | cache off, CPU µs | cache on, CPU µs | the miss adds | of which in Portico's own code | start by start |",
    ];
    times.push("| --- | ---: | ---: | ---: | ---: | --- |");
    const rows = [
      ["not storable, one path", { path: "/hello" }],
      ["not storable, a new URL each time", { path: "/hello", isNumbered: true }],
      ["stored, a new URL each time", { path: "/cached", isNumbered: true }],
    ];
    const words = [];
    for (const [name, request] of rows) {
      const starts = [];
      for (let i = 0; i < STARTS; i++) starts.push(await measure(request, upstreamPort));
      const row = (keys, more) => {
        const each = starts.map((start) => start[more].toFixed(1)).join(", ");
        const micros = keys.map((key) => median(starts.map((start) => start[key])).toFixed(1));
        return `| ${name} | ${micros.join(" | ")} | ${each} |`;
      };
      waits.push(row(["offWait", "onWait", "moreWait"], "moreWait"));
      times.push(row(["off", "on", "more", "own"], "more"));
      for (const [key, what] of [
        ["moreWait", "waits"],
        ["more", "of the processor"],
      ]) {
        const more = median(starts.map((start) => start[key]));
        const is = word(more <= BAR_MICROS);
        words.push(`${is}: ${more.toFixed(1)} µs ${what} for "${name}", where ${BAR_MICROS} is the bar.`);
      }
    }
    for (const line of waits) say(line);
    say("");
    for (const line of times) say(line);
    for (const line of words) say(`\n${line}`);
  },
};

async function measure(request, upstreamPort) {
  const { off, on } = await alternate(ways, request, {
    upstreamPort,
    rounds: ROUNDS,
    warmUpRequests: WARM_UP_REQUESTS,
    waitRounds: WAIT_ROUNDS,
  });
  return {
    off: median(off.all),
    on: median(on.all),
    more: added(on.all, off.all),
    own: added(on.own, off.own),
    offWait: median(off.wait),
    onWait: median(on.wait),
    moreWait: added(on.wait, off.wait),
  };
}

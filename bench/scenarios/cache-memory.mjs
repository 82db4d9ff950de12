import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { word } from "../compare.mjs";

const ENTRIES = 1_000_000;
const BAR = 1.5;

/** What a million small answers cost in memory beyond their own bytes, in a process of its own. */
export const scenario = {
  name: "cache-memory",
  title: `Cache: ${ENTRIES.toLocaleString("en")} answers of 350 bytes in memory`,
  run({ say }) {
    const run = spawnSync(process.execPath, ["--expose-gc", fileURLToPath(import.meta.url), "measure"]);
    if (run.status !== 0) throw new Error(String(run.stderr));
    const { ownBytes, counted, resident, found, putNanos, hotNanos, coldNanos } = JSON.parse(String(run.stdout));
    const each = (bytes) => (bytes / ENTRIES).toFixed(0);
    say("| bytes an answer | |");
    say("| --- | ---: |");
    say(`| its own: key, fields, body | ${each(ownBytes)} |`);
    say(`| as the store counts and bounds them | ${each(counted)} |`);
    say(`| as the operating system does (resident) | ${each(resident)} |`);
    say(`\n| step | CPU ns |\n| --- | ---: |`);
    say(`| put | ${putNanos.toFixed(0)} |`);
    say(`| find, one of 500 that are asked for most | ${hotNanos.toFixed(0)} |`);
    say(`| find, any of the million | ${coldNanos.toFixed(0)} |`);
    const ratio = resident / ownBytes;
    say(
      `\n${word(ratio <= BAR && found === ENTRIES)}: ${ratio.toFixed(2)} × their own bytes, where ${BAR} is the bar.`,
    );
  },
};

const keyOf = (i) => `http\napi.example.com\n/items/${i}\n\n`;

async function measure() {
  const { MemoryStore } = await import("../../dist/src/caching/memory-store.js");
  const { HeaderList } = await import("../../dist/src/core/headers.js");
  const fields = [
    ...["Content-Type", "application/json", "Content-Length", "350", "Cache-Control", "public, max-age=3600"],
    ...["ETag", '"33a64df551425fcc55e4d42a148795d9"', "Date", "Thu, 01 Jan 2026 00:00:00 GMT"],
  ];
  // One for all: the store copies it, as it does what came from a socket.
  const body = Buffer.alloc(350, "x");
  const answer = (i) => ({
    kind: "answer",
    key: keyOf(i),
    resource: `api.example.com\n/items/${i}`,
    operation: "getItem",
    operationName: "GET /items/{id}",
    tags: [],
    status: 200,
    headers: new HeaderList([...fields]),
    body,
    chunks: undefined,
    length: 350,
    freshness: {
      bornAtMs: Date.now(),
      freshUntilMs: Date.now() + 3_600_000,
      staleWhileRevalidateMs: 0,
      staleIfErrorMs: 0,
      mustRevalidate: false,
      alwaysAsk: false,
    },
    shape: "",
    seq: 0,
    localSeq: 0,
    view: undefined,
  });
  const time = (calls, step) => {
    const from = process.cpuUsage();
    for (let i = 0; i < calls; i++) step(i);
    const { user, system } = process.cpuUsage(from);
    return ((user + system) * 1000) / calls;
  };
  const settled = () => {
    gc();
    gc();
    return process.memoryUsage.rss();
  };
  const store = new MemoryStore({ bytes: 4 * 1024 ** 3, entries: ENTRIES * 2 });
  const before = settled();
  const makingNanos = time(ENTRIES, answer);
  const putNanos = time(ENTRIES, (i) => store.put(answer(i))) - makingNanos;
  const resident = settled() - before;
  const hotNanos = time(500_000, (i) => store.find(keyOf(i % 500)));
  const coldNanos = time(500_000, (i) => store.find(keyOf((i * 7919) % ENTRIES)));
  let ownBytes = ENTRIES * (fields.join("").length + 350);
  for (let i = 0; i < ENTRIES; i++) ownBytes += keyOf(i).length;
  const told = { ownBytes, counted: store.bytes, resident, found: store.entries, putNanos, hotNanos, coldNanos };
  process.stdout.write(JSON.stringify(told));
}

if (process.argv[2] === "measure") await measure();

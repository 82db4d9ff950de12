// Loaded with --import into a process that is measured: at SIGUSR2 it writes how long its event loop was held up at most
// since the last time, to the file that LOOP_DELAY_FILE names.

import { closeSync, openSync, readSync, renameSync, writeFileSync } from "node:fs";
import { monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks";

const file = process.env.LOOP_DELAY_FILE;
const histogram = monitorEventLoopDelay({ resolution: 1 });
histogram.enable();
// How long this thread itself worked between two turns, at most: what is more than that was another program's turn.
const schedule = openSync(`/proc/self/task/${process.pid}/schedstat`);
const text = Buffer.alloc(64);
const workedMs = () => {
  const length = readSync(schedule, text, 0, 64, 0);
  return Number(text.toString("latin1", 0, length).split(" ")[0]) / 1e6;
};
process.once("exit", () => closeSync(schedule));
let last = { atMs: performance.now(), workedMs: workedMs() };
let mostWorkMs = 0;
setInterval(() => {
  const now = { atMs: performance.now(), workedMs: workedMs() };
  const workMs = now.workedMs - last.workedMs;
  mostWorkMs = Math.max(mostWorkMs, workMs);
  if (process.env.LOOP_DELAY_DEBUG && workMs > 6)
    process.stderr.write(
      `${process.argv[2]} held up ${(now.atMs - last.atMs).toFixed(1)} ms, at work ${workMs.toFixed(1)} ms\n`,
    );
  last = now;
}, 1).unref();
if (process.env.LOOP_DELAY_DEBUG) {
  new PerformanceObserver((list) => {
    for (const { duration, detail } of list.getEntries())
      if (duration > 4)
        process.stderr.write(`${process.argv[2]} collected ${duration.toFixed(1)} ms, kind ${detail.kind}\n`);
  }).observe({ entryTypes: ["gc"] });
}
process.on("SIGUSR2", () => {
  const told = { maxMs: histogram.max / 1e6, p99Ms: histogram.percentile(99) / 1e6, workMs: mostWorkMs };
  histogram.reset();
  mostWorkMs = 0;
  writeFileSync(`${file}.new`, JSON.stringify(told));
  renameSync(`${file}.new`, file);
});

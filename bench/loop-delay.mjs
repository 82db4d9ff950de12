// Loaded with --import into a process that is measured: at SIGUSR2 it writes how long its event loop was held up at most
// since the last time, to the file that LOOP_DELAY_FILE names.

import { renameSync, writeFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";

const file = process.env.LOOP_DELAY_FILE;
const histogram = monitorEventLoopDelay({ resolution: 1 });
histogram.enable();
// What the processor itself worked in the longest gap: more than that was another program's turn.
let last = { atMs: performance.now(), cpu: process.cpuUsage() };
let worst = { wallMs: 0, cpuMs: 0 };
setInterval(() => {
  const now = { atMs: performance.now(), cpu: process.cpuUsage() };
  const wallMs = now.atMs - last.atMs;
  if (wallMs > worst.wallMs) {
    worst = { wallMs, cpuMs: (now.cpu.user + now.cpu.system - last.cpu.user - last.cpu.system) / 1000 };
    if (process.env.LOOP_DELAY_DEBUG && wallMs > 10)
      process.stderr.write(
        `${process.argv[2]} held up ${wallMs.toFixed(1)} ms, at work ${worst.cpuMs.toFixed(1)} ms\n`,
      );
  }
  last = now;
}, 1).unref();
process.on("SIGUSR2", () => {
  const told = { maxMs: histogram.max / 1e6, p99Ms: histogram.percentile(99) / 1e6, cpuMs: worst.cpuMs };
  histogram.reset();
  worst = { wallMs: 0, cpuMs: 0 };
  writeFileSync(`${file}.new`, JSON.stringify(told));
  renameSync(`${file}.new`, file);
});

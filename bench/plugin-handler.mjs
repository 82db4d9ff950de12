// Runs one plugin's handler as the pipeline does, without sockets.
import { checkOptions } from "../dist/src/config/check.js";
import { inlineSource } from "../dist/src/config/source.js";
import { systemClock } from "../dist/src/core/clock.js";
import { Exchange } from "../dist/src/core/exchange.js";
import { HeaderList } from "../dist/src/core/headers.js";
import { guard } from "../dist/src/pipeline/guard.js";
import { Watchdog } from "../dist/src/pipeline/watchdog.js";
import { createMemoryState } from "../dist/src/storage/memory-state.js";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const operation = { id: "bench", method: "GET", path: "/bench", publicPath: "/bench", parameters: [], security: [] };

/** @returns the handler under the pipeline's guard */
export async function handlerOf(plugin, options = {}) {
  const problems = checkOptions(inlineSource("(options)", options), plugin.options, options, [plugin.name]);
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join("\n"));
  const instance = await plugin.setup({
    options,
    operation,
    scheme: undefined,
    folder: process.cwd(),
    log: silent,
    clock: systemClock,
    id: `bench:${plugin.name}`,
    store: createMemoryState(systemClock),
    allowFaults: false,
    forwardTo: () => undefined,
    shared: (create) => create(),
  });
  return guard(plugin.name, typeof instance === "function" ? instance : instance.handler, new Watchdog(10_000));
}

/** @param more flat list of header fields beyond those that every client sends */
export function exchangeOf(more = []) {
  const headers = new HeaderList(["User-Agent", "bench/1", "Accept", "*/*", "Accept-Encoding", "gzip", ...more]);
  const request = { method: "GET", target: "/bench", path: "/bench", query: "", headers, body: null };
  return new Exchange({
    id: "bench",
    request: { ...request, httpVersion: "1.1", scheme: "http", authority: "localhost" },
    client: { address: "127.0.0.1", peer: "127.0.0.1" },
    startedAtMs: 0,
  });
}

const cpuMicros = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

/** Microseconds of processor for a call, waited for. */
export async function microsOf(calls, step) {
  const from = cpuMicros();
  for (let i = 0; i < calls; i++) await step(i);
  return (cpuMicros() - from) / calls;
}

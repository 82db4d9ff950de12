// Runs one plugin's handler as the pipeline does, without sockets.
import { Exchange } from "../dist/src/core/exchange.js";
import { HeaderList } from "../dist/src/core/headers.js";
import { testPlugin } from "../dist/src/testing.js";

/** @returns the handler under the pipeline's guard */
export const handlerOf = async (plugin, options) => (await testPlugin(plugin, options)).handler;

/** @param more flat list of header fields beyond those that every client sends */
export function exchangeOf(more = []) {
  const fields = ["User-Agent", "bench/1", "Accept", "*/*", "Accept-Encoding", "gzip", ...more];
  // Told to be sound, as the gateway tells of what Node's strict parser has read.
  const headers = new HeaderList(fields, undefined, true);
  // Without a spread, as the gateway makes it: objects that come of one outlive young collections.
  const request = {
    method: "GET",
    target: "/bench",
    path: "/bench",
    query: "",
    headers,
    body: null,
    httpVersion: "1.1",
    scheme: "http",
    authority: "localhost",
  };
  return new Exchange({
    id: "bench",
    request,
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

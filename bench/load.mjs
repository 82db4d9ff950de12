import { spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const hasWrk = spawnSync("wrk", ["--version"]).error === undefined;
export const generator = hasWrk ? "wrk" : "autocannon";

/**
 * Sends requests over keep-alive connections, as many as are answered. `isNumbered`: each with another query (wrk alone).
 * @returns {Promise<{requests: number, perSecond: number, p50Ms: number, p99Ms: number, failed: number}>}
 */
export const load = (options) => (hasWrk ? wrk(options) : autocannon(options));

async function wrk({
  port,
  scheme = "http",
  path,
  seconds,
  connections = 64,
  method = "GET",
  headers = {},
  body,
  isNumbered,
}) {
  const script = join(tmpdir(), `portico-bench-${process.pid}.lua`);
  const fields = Object.entries(headers).map(
    ([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
  );
  writeFileSync(
    script,
    `wrk.method = ${JSON.stringify(method)}
${fields.join("\n")}
${body === undefined ? "" : `wrk.body = ${JSON.stringify(body)}`}
${isNumbered ? numbered(path) : ""}
done = function(summary, latency, requests)
  local failed = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout
  io.write(string.format("RESULT %d %d %f %f %d\\n", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), failed))
end
`,
  );
  const words = ["-t1", `-c${connections}`, `-d${seconds}s`, "-s", script, `${scheme}://127.0.0.1:${port}${path}`];
  const output = await run("taskset", ["-c", "1", "wrk", ...words]);
  const [, requests, micros, p50, p99, failed] = /RESULT (\d+) (\d+) ([\d.]+) ([\d.]+) (\d+)/.exec(output).map(Number);
  return { requests, perSecond: requests / (micros / 1e6), p50Ms: p50 / 1000, p99Ms: p99 / 1000, failed };
}

/** Another URL for each request, and others in each run: what one run had stored, the next must miss. */
const numbered = (path) => `local sent = 0
local run = ${JSON.stringify(`${Date.now().toString(36)}-`)}
request = function()
  sent = sent + 1
  return wrk.format(nil, ${JSON.stringify(path)} .. "?n=" .. run .. sent)
end`;

const run = (program, args) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    child.on("error", reject);
    child.on("close", () => resolve(output));
  });

async function autocannon({
  port,
  scheme = "http",
  path,
  seconds,
  connections = 64,
  method = "GET",
  headers = {},
  body,
}) {
  const { default: cannon } = await import("autocannon");
  const url = `${scheme}://127.0.0.1:${port}${path}`;
  const result = await cannon({ url, connections, duration: seconds, method, headers, body });
  const { total } = result.requests;
  return {
    requests: total,
    perSecond: total / result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    failed: result.errors + result.non2xx,
  };
}

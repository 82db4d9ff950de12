import { spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, request } from "node:http";

const hasTaskset = spawnSync("taskset", ["--version"]).status === 0;
const TICKS_PER_SECOND = Number(spawnSync("getconf", ["CLK_TCK"]).stdout || 100);

/** A free port of this moment. */
export const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** Starts a program on one core. @param core gateways on 0, all that loads them on 1 */
export function start(words, core, env = {}) {
  const [program, ...args] = hasTaskset ? ["taskset", "-c", String(core), ...words] : words;
  const child = spawn(program, args, {
    stdio: ["ignore", "ignore", process.env.BENCH_DEBUG ? "inherit" : "ignore"],
    env: { ...process.env, NODE_ENV: "production", PATH: `${process.env.PATH}:/usr/sbin`, ...env },
    detached: true,
  });
  return {
    pid: child.pid,
    isRunning: () => child.exitCode === null,
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null) return resolve();
        child.once("exit", resolve);
        try {
          process.kill(-child.pid, "SIGKILL");
        } catch {
          resolve();
        }
      }),
  };
}

export const get = (port, path, headers = {}) =>
  new Promise((resolve, reject) => {
    request({ port, host: "127.0.0.1", path, headers, agent: false }, (response) => {
      response.resume();
      response.on("end", () => resolve(response));
    })
      .on("error", reject)
      .end();
  });

/** Waits until the path is answered. @returns milliseconds until then */
export async function untilAnswers(port, path, { timeoutMs = 30_000, headers = {}, child } = {}) {
  const from = performance.now();
  while (performance.now() - from < timeoutMs) {
    try {
      const { statusCode } = await get(port, path, headers);
      if (statusCode < 500) return performance.now() - from;
    } catch {
      if (child !== undefined && !child.isRunning()) throw new Error("it ended at once");
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error("it never answered");
}

/** The process and its children: nginx and Varnish work in theirs. */
function tree(pid) {
  const parents = new Map();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
    } catch {}
  }
  const found = [pid];
  for (let i = 0; i < found.length; i++) {
    for (const [child, parent] of parents) if (parent === found[i]) found.push(child);
  }
  return found;
}

/** Seconds of processor that the operating system has counted for it. */
export function cpuSeconds(pid) {
  const { user, system } = cpuTimes(pid);
  return user + system;
}

/** The same, in its own code and in the system's. */
export function cpuTimes(pid) {
  let user = 0;
  let system = 0;
  for (const id of tree(pid)) {
    const stat = readFileSync(`/proc/${id}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    user += Number(fields[11]) / TICKS_PER_SECOND;
    system += Number(fields[12]) / TICKS_PER_SECOND;
  }
  return { user, system };
}

/** Resident memory in MiB. @param field VmRSS for now, VmHWM for the most so far */
export function residentMiB(pid, field = "VmRSS") {
  let kib = 0;
  for (const id of tree(pid)) {
    kib += Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${id}/status`, "utf8"))?.[1] ?? 0);
  }
  return kib / 1024;
}

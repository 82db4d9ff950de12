import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { freePort } from "./free-port.ts";

/** A real Redis in a process of its own, on a free port, with nothing on disk. */
export interface RedisServer {
  readonly url: string;
  kill(): Promise<void>;
  /** Again on the same port; empty. */
  start(): Promise<void>;
  /** Stops it in its tracks: it accepts and never answers. */
  freeze(): void;
  thaw(): void;
}

/** Why a test that needs a real Redis cannot run here; undefined when it can. */
export const redisMissing = (): string | undefined =>
  spawnSync("redis-server", ["--version"]).status === 0
    ? undefined
    : "needs redis-server: apt-get install redis-server";

export async function startRedisServer(t: TestContext): Promise<RedisServer> {
  const port = await freePort();
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const started = spawn("redis-server", ["--port", String(port), "--save", "", "--appendonly", "no"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    child = started;
    let said = "";
    for await (const chunk of started.stdout) {
      said += String(chunk);
      if (said.includes("Ready to accept connections")) break;
    }
  };
  const kill = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  };
  await start();
  t.after(kill);
  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    start,
    freeze: () => child?.kill("SIGSTOP"),
    thaw: () => child?.kill("SIGCONT"),
  };
}

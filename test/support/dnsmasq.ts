import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { queryDns } from "../../src/discovery/dns-query.ts";
import { temporaryFolder } from "./registry.ts";

/** @returns why dnsmasq cannot be run here, for `test({ skip })`; with CI set it has to be there */
export function dnsmasqMissing(): string | false {
  if (spawnSync("dnsmasq", ["--version"]).status === 0) return false;
  if (process.env.CI) throw new Error("dnsmasq is missing: apt-get install dnsmasq-base");
  return "needs dnsmasq: apt-get install dnsmasq-base";
}

export interface NameServer {
  readonly address: string;
  /** Serves these lines of dnsmasq's configuration from now on. */
  serve(lines: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

/** One that is free for datagrams and for connections: a name server listens for both. */
async function freePort(): Promise<number> {
  for (let tries = 0; ; tries++) {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const socket = createSocket("udp4");
    const isFree = await new Promise<boolean>((resolve) => {
      socket.once("error", () => resolve(false));
      socket.bind(port, "127.0.0.1", () => resolve(true));
    });
    await new Promise((resolve) => server.close(resolve));
    await new Promise<void>((resolve) => (isFree ? socket.close(() => resolve()) : resolve()));
    if (isFree) return port;
    if (tries > 20) throw new Error("no port is free for UDP and TCP");
  }
}

/** A real name server on a free port, authoritative for `test`. */
export async function startNameServer(t: TestContext, lines: readonly string[]): Promise<NameServer> {
  const folder = await temporaryFolder(t);
  const file = join(folder, "dnsmasq.conf");
  const port = await freePort();
  let child: ChildProcess | undefined;
  const stop = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  const run = (): ChildProcess =>
    spawn("dnsmasq", ["--keep-in-foreground", `--conf-file=${file}`], { stdio: "ignore" });
  const serve = async (now: readonly string[]): Promise<void> => {
    await stop();
    const head = [
      `port=${port}`,
      "listen-address=127.0.0.1",
      "bind-interfaces",
      "no-resolv",
      "no-hosts",
      "local=/test/",
    ];
    await writeFile(
      file,
      [...head, "pid-file=", "user=", "local-ttl=1", "host-record=ready.test,127.0.0.1", ...now, ""].join("\n"),
    );
    child = run();
    for (let tries = 0; ; tries++) {
      const answer = await queryDns([{ host: "127.0.0.1", port }], "ready.test", "A").catch(() => undefined);
      if (answer !== undefined) return;
      if (tries > 100) throw new Error("dnsmasq does not answer");
      // Another program had the port for a moment.
      if (child.exitCode !== null) child = run();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  t.after(stop);
  await serve(lines);
  return { address: `127.0.0.1:${port}`, serve, stop };
}

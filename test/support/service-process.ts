import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { RegisterOptions } from "../../src/register.ts";

export interface ServiceProcess {
  readonly process: ChildProcess;
  readonly url: string;
}

/** A process of its own that runs a program of `test/support`; its first line of output is its URL. */
export async function startProcess(
  t: TestContext,
  args: string[],
  env: NodeJS.ProcessEnv = {},
): Promise<ServiceProcess> {
  const child = spawn(process.execPath, ["--import", "tsx", ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  let text = "";
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    text += chunk;
    const url = /https?:\/\/\S+/.exec(text)?.[0];
    if (url !== undefined && text.includes("\n")) return { process: child, url };
  }
  throw new Error(`the process ended before it told its URL: ${text}`);
}

/** A service that answers `{ id }`, registers itself with `register()` and then prints its URL. */
export const startServiceProcess = (
  t: TestContext,
  options: Omit<RegisterOptions, "url"> & { id: string },
): Promise<ServiceProcess> =>
  startProcess(t, [fileURLToPath(new URL("./registered-service.ts", import.meta.url))], {
    REGISTER: JSON.stringify(options),
  });

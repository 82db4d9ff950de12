import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A client program of this folder on the second core, that answers each line it gets with a line of JSON. */
export function startClient(name, ...args) {
  const words = ["-c", "1", process.execPath, fileURLToPath(new URL(`./${name}.mjs`, import.meta.url))];
  const child = spawn("taskset", [...words, ...args.map(String)], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const told = async () => JSON.parse((await once(lines, "line"))[0]);
  return {
    ready: told(),
    tell: () => child.stdin.write("\n"),
    ask() {
      child.stdin.write("\n");
      return told();
    },
    stop: () => child.kill("SIGKILL"),
  };
}

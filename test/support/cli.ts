import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** What a run of the command left behind. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run of `portico …` in a process of its own. */
export interface Running {
  readonly child: ChildProcess;
  /** Resolves with the first match in standard output. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** The same of standard error. */
  complained(pattern: RegExp): Promise<RegExpExecArray>;
  finished: Promise<Finished>;
}

export function portico(...words: string[]): Running {
  const child = spawn(process.execPath, ["--import", "tsx", "src/cli/main.ts", ...words], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
    });
  }
  const finished = once(child, "close").then(([code]) => ({ code: code as number | null, ...output }));
  const seen = async (name: "stdout" | "stderr", pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const match = pattern.exec(output[name]);
      if (match !== null) return match;
      const ended = await Promise.race([once(child[name], "data").then(() => undefined), finished]);
      if (ended !== undefined) throw new Error(`it ended without saying ${pattern}: ${ended.stdout}${ended.stderr}`);
    }
  };
  return {
    child,
    finished,
    printed: (pattern) => seen("stdout", pattern),
    complained: (pattern) => seen("stderr", pattern),
  };
}

/** A folder with these files, removed when the test is over. */
export async function folderWith(
  context: { after(done: () => Promise<void>): void },
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "portico-test-"));
  // What was started in it ends after this hook, and may still write there.
  context.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

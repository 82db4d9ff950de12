import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Instance } from "../core/upstream.ts";

/** What a source told, and when. */
export interface Snapshot {
  readonly savedAtMs: number;
  readonly instances: readonly Instance[];
}

/** Instances that are read or written without letting the loop do anything else: about a millisecond. */
const SLICE = 500;

/** Written aside and renamed: a crash leaves the old snapshot or the new one. One JSON document, an instance a line. */
export async function writeSnapshot(file: string, { savedAtMs, instances }: Snapshot): Promise<void> {
  const parts = [`{"savedAtMs":${savedAtMs},"instances":[`];
  for (let i = 0; i < instances.length; i += SLICE) {
    const lines = instances.slice(i, i + SLICE).map((instance) => JSON.stringify(instance));
    parts.push(`${i === 0 ? "" : ","}\n${lines.join(",\n")}`);
    await nextTurn();
  }
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.new`, [...parts, "\n]}\n"]);
  await rename(`${file}.new`, file);
}

/** @returns undefined when there is none that can be read */
export async function readSnapshot(file: string): Promise<Snapshot | undefined> {
  try {
    const [head = "", ...lines] = (await readFile(file, "utf8")).split("\n");
    const { savedAtMs } = JSON.parse(`${head}]}`) as Snapshot;
    if (typeof savedAtMs !== "number" || lines.at(-2) !== "]}") return undefined;
    const instances: Instance[] = [];
    for (let i = 0; i < lines.length - 2; i += SLICE) {
      const text = lines.slice(i, Math.min(i + SLICE, lines.length - 2)).join("\n");
      instances.push(...(JSON.parse(`[${text.replace(/,$/, "")}]`) as Instance[]));
      await nextTurn();
    }
    return { savedAtMs, instances };
  } catch {
    return undefined;
  }
}

const nextTurn = (): Promise<void> => new Promise(setImmediate);

import { once } from "node:events";
import { statSync } from "node:fs";
import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { Pace } from "../core/pace.ts";
import { Join, type Piece } from "./cut.ts";
import type { Outcome } from "./document-thread.ts";
import { readSource } from "./read-source.ts";
import { SpecError } from "./spec-error.ts";

/** What is parsed within a few milliseconds is not worth a thread. */
const MAX_JSON_BYTES = 524_288;
const MAX_YAML_BYTES = 65_536;

/** Whether parsing it would hold the event loop for long. A file that is not there is none. */
export function isLarge(file: string): boolean {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  return size > (file.endsWith(".json") ? MAX_JSON_BYTES : MAX_YAML_BYTES);
}

/**
 * Parses a file beside traffic: a large one in a thread, from which its value comes in pieces, so that neither the
 * parsing nor the taking over holds the event loop.
 * @throws SpecError when the file cannot be read or parsed
 */
export async function readAside(file: string, pace: Pace): Promise<unknown> {
  if (!pace.isBesideTraffic || !isLarge(file)) return readSource(file);
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(new URL(`./document-thread${EXTENSION}`, import.meta.url), {
    workerData: { file, port: port2 },
    transferList: [port2],
  });
  try {
    const outcome = await findOutcome(worker);
    // Without a thread, as when memory is short or a bundler has left its file out, it takes longer; no more than that.
    if (outcome === undefined) return readSource(file);
    if (outcome.kind === "wrong") throw new SpecError(outcome.message, outcome.location);
    const join = new Join();
    for (let next = receiveMessageOnPort(port1); next !== undefined; next = receiveMessageOnPort(port1)) {
      join.add(next.message as Piece);
      if (pace.isOver) await pace.rest();
    }
    return join.document;
  } finally {
    port1.close();
    await worker.terminate();
  }
}

const EXTENSION = import.meta.url.endsWith(".ts") ? ".ts" : ".js";

async function findOutcome(worker: Worker): Promise<Outcome | undefined> {
  try {
    const [outcome] = (await once(worker, "message")) as [Outcome];
    return outcome;
  } catch {
    return undefined;
  }
}

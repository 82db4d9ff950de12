import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { cut } from "./cut.ts";
import { readSource } from "./read-source.ts";
import { SpecError } from "./spec-error.ts";

/** What the thread says once all is done. */
export type Outcome =
  | { readonly kind: "read" }
  | { readonly kind: "wrong"; readonly message: string; readonly location: SpecError["location"] };

/** In a thread of its own: parses the file and leaves its pieces at the port. It lives until it is ended: they would go with it. */
const { file, port } = workerData as { file: string; port: MessagePort };
parentPort?.on("message", () => undefined);
let outcome: Outcome = { kind: "read" };
try {
  for (const piece of cut(readSource(file))) port.postMessage(piece);
} catch (error) {
  if (!(error instanceof SpecError)) throw error;
  outcome = { kind: "wrong", message: error.message, location: error.location };
}
parentPort?.postMessage(outcome);

import type { Response } from "express";
import type { Change } from "./catalog.ts";
import { toPublicJson } from "./registration.ts";
import type { Registry } from "./registry.ts";

const PING_MS = 5_000;
const BATCH = 500;
/** A reader this far behind is let go: it comes back and is told what stands. */
const MAX_BEHIND_BYTES = 16 * 1024 * 1024;

/**
 * Server-sent events: `put` for each instance, `synced` once all that stands has been told, then `put` and `delete` as it
 * changes. A comment every few seconds lets the reader notice a dead connection.
 */
export async function streamChanges(
  registry: Registry,
  service: string | undefined,
  response: Response,
  release: () => void,
): Promise<void> {
  const { catalog } = registry;
  response.status(200).set({ "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  response.socket?.setNoDelay(true);
  response.flushHeaders();

  const pending: string[] = [];
  const flush = (): void => {
    if (pending.length === 0) return;
    const text = pending.join("");
    pending.length = 0;
    response.write(text);
    if (response.writableLength > MAX_BEHIND_BYTES) response.destroy();
  };
  let isPreserving = registry.state().isPreserving;
  // What changes while the first list is being written follows it: the listener is in place before the list is taken.
  const unwatch = catalog.watch(service, (change) => {
    if (pending.length === 0) setImmediate(flush);
    pending.push(toEvent(change));
  });
  const ping = setInterval(() => {
    const now = registry.state().isPreserving;
    response.write(now === isPreserving ? ":\n\n" : `event: state\ndata: {"preserving":${now}}\n\n`);
    isPreserving = now;
  }, PING_MS);
  response.once("close", () => {
    unwatch();
    clearInterval(ping);
    release();
  });

  const places = service === undefined ? [...catalog.all()] : [...catalog.instancesOf(service).values()];
  for (let i = 0; i < places.length && !response.destroyed; i += BATCH) {
    let text = "";
    for (const place of places.slice(i, i + BATCH)) {
      // What stands now, not when the list was taken: its change may have been told already.
      const registration = catalog.get(place.service, place.id);
      if (registration !== undefined) text += `event: put\ndata: ${toPublicJson(registration)}\n\n`;
    }
    response.write(text);
    await new Promise(setImmediate);
  }
  flush();
  const index = service === undefined ? catalog.index : catalog.indexOf(service);
  response.write(`event: synced\nid: ${index}\ndata: {"index":${index},"preserving":${isPreserving}}\n\n`);
}

function toEvent({ kind, index, registration }: Change): string {
  const data =
    kind === "put"
      ? toPublicJson(registration)
      : JSON.stringify({ service: registration.service, id: registration.id });
  return `event: ${kind}\nid: ${index}\ndata: ${data}\n\n`;
}

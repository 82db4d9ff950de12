import type { Response } from "express";
import { Lane, Turn } from "../core/slices.ts";
import type { Change } from "./catalog.ts";
import { drained } from "./drained.ts";
import { toPublicJson } from "./registration.ts";
import type { Registry } from "./registry.ts";

const PING_MS = 5_000;
const BATCH = 100;
/** A reader this far behind is let go: it comes back and is told what stands. */
const MAX_BEHIND_BYTES = 16 * 1024 * 1024;
/** Of the first list, written before it is read: a thousand readers of a long one must not each have a copy here. */
const MOST_AHEAD_BYTES = 256 * 1024;

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
  // Gone while the cluster was asked, perhaps: its end has been told, and will not be again.
  if (response.destroyed) return release();
  response.status(200).set({ "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  response.socket?.setNoDelay(true);
  response.flushHeaders();

  const pending: string[] = [];
  const flush = (): void => {
    if (pending.length === 0 || response.destroyed) return;
    const text = pending.join("");
    pending.length = 0;
    response.write(text);
    if (response.writableLength > MAX_BEHIND_BYTES) response.destroy();
  };
  let isPreserving = registry.state().isPreserving;
  // What changes while the first list is being written follows it: the listener is in place before the list is taken.
  const unwatch = catalog.watch(service, (change) => {
    if (pending.length === 0) void readers.next().then(flush);
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
  const turn = new Turn();
  for (let i = 0; i < places.length && !response.destroyed; i += BATCH) {
    let text = "";
    for (const place of places.slice(i, i + BATCH)) {
      // What stands now, not when the list was taken: its change may have been told already.
      const registration = catalog.get(place.service, place.id);
      if (registration !== undefined) text += `event: put\ndata: ${toPublicJson(registration)}\n\n`;
    }
    response.write(text);
    if (response.writableLength > MOST_AHEAD_BYTES) await drained(response);
    if (turn.isOver) await turn.pass();
  }
  flush();
  const index = service === undefined ? catalog.index : catalog.indexOf(service);
  response.write(`event: synced\nid: ${index}\ndata: {"index":${index},"preserving":${isPreserving}}\n\n`);
}

/** A change may have a thousand readers: they are written to in turns, and its text is made once. */
const readers = new Lane();
const texts = new WeakMap<Change, string>();

function toEvent(change: Change): string {
  let text = texts.get(change);
  if (text === undefined) {
    const { kind, index, registration } = change;
    const { service, id } = registration;
    const data = kind === "put" ? toPublicJson(registration) : JSON.stringify({ service, id });
    text = `event: ${kind}\nid: ${index}\ndata: ${data}\n\n`;
    texts.set(change, text);
  }
  return text;
}

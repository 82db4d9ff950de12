import { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { CappedBody } from "./capped-body.ts";

/** Of a chunk: below that it may share its memory, and is hardly worth it. */
const WORTH_BYTES = 16_384;

/**
 * Gives the memory of a chunk back at once, not when a collection comes to it: a large body fills the heap with dead
 * chunks, and every 32 MB of them cost a collection that walks through all that Portico holds. Half of an upload's price.
 * @param chunk empty afterwards
 */
export function releaseMemory(chunk: Buffer): void {
  const { buffer } = chunk;
  // Transferred to a port that leads nowhere, it is freed: there is no other way before `ArrayBuffer.prototype.transfer`.
  if (chunk.length >= WORTH_BYTES && buffer.byteLength === chunk.length)
    nowhere.postMessage(null, [buffer as ArrayBuffer]);
}

/** Whether nobody but its only listener has seen the chunks of a client's body: what a plugin has wrapped may be kept by it. */
export function isReadByOne(body: Readable): boolean {
  const source = body instanceof CappedBody ? body.source : body;
  return source instanceof IncomingMessage && hasOneListener(source) && (source === body || hasOneListener(body));
}

const hasOneListener = (stream: Readable): boolean =>
  stream.listenerCount("data") === 1 && stream.listenerCount("readable") === 0;

function openNowhere(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port1.close();
  port2.close();
  return port1;
}

const nowhere = openNowhere();

import type { Readable } from "node:stream";
import { GatewayError } from "./errors.ts";
import type { Body } from "./exchange.ts";
import { isReadByOne, releaseMemory } from "./release-memory.ts";

/** Up to this many bytes an answer of known length is held whole; above, it streams. */
export const WHOLE_BODY_BYTES = 65_536;

export const isStream = (body: Body): body is Readable => body !== null && !Buffer.isBuffer(body);

/**
 * Reads a body to its end.
 * @param limitBytes refused above that, before it is held: a claim in Content-Length is not trusted to be small
 * @throws GatewayError BODY_TOO_LARGE, REQUEST_MALFORMED when the sender breaks off
 */
export function readWhole(body: Body, limitBytes: number): Promise<Buffer | null> {
  if (!isStream(body)) {
    if (body !== null && body.length > limitBytes) return Promise.reject(tooLarge(limitBytes));
    return Promise.resolve(body);
  }
  if (body.destroyed || body.readableEnded) return readEnded(body);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      if (length <= limitBytes) {
        chunks.push(chunk);
        return;
      }
      body.off("data", onData);
      body.pause();
      reject(tooLarge(limitBytes));
    };
    // `stream.finished` would cost more than the reading: this is the request path.
    body.on("data", onData);
    body.on("end", () => {
      const whole = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length);
      if (chunks.length > 1 && isReadByOne(body)) for (const chunk of chunks) releaseMemory(chunk);
      resolve(whole);
    });
    body.on("error", (error) => reject(toReadError(error)));
    body.on("close", () => {
      if (!body.readableEnded) reject(toReadError(undefined));
    });
  });
}

const EMPTY = Buffer.alloc(0);

async function readEnded(body: Readable): Promise<Buffer> {
  if (body.readableEnded) return EMPTY;
  throw toReadError(body.errored ?? undefined);
}

const toReadError = (error: Error | undefined): GatewayError =>
  error instanceof GatewayError
    ? error
    : new GatewayError("REQUEST_MALFORMED", "the body ended before its length", { cause: error });

const tooLarge = (limitBytes: number): GatewayError =>
  new GatewayError("BODY_TOO_LARGE", `at most ${limitBytes} bytes are taken`);

import { Readable } from "node:stream";
import { type GatewayResponse, HeaderList, isStream } from "../../src/plugin.ts";

export const PENDING = Buffer.from("pending");
export const TOO_LARGE = Buffer.from("too large");

/** Makes the body whole. @returns false when it is longer than that: then it streams on, with nothing lost */
export async function collect(response: GatewayResponse, maxBytes: number): Promise<boolean> {
  const { body } = response;
  if (!isStream(body)) return (body?.length ?? 0) <= maxBytes;
  const chunks: Buffer[] = [];
  let length = 0;
  const rest = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  for (let step = await rest.next(); step.done !== true; step = await rest.next()) {
    chunks.push(step.value);
    length += step.value.length;
    if (length > maxBytes) {
      response.body = Readable.from(joined(chunks, rest), { objectMode: false });
      return false;
    }
  }
  response.body = Buffer.concat(chunks);
  return true;
}

async function* joined(chunks: readonly Buffer[], rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield* chunks;
  yield* { [Symbol.asyncIterator]: () => rest };
}

/** A line of JSON with status and fields, then the body as it is. */
export function packAnswer({ status, headers, body }: GatewayResponse): Buffer {
  const head = Buffer.from(`${JSON.stringify({ status, fields: headers.toFlat() })}\n`);
  return Buffer.isBuffer(body) ? Buffer.concat([head, body]) : head;
}

export function unpackAnswer(kept: Buffer): GatewayResponse {
  const end = kept.indexOf("\n");
  const { status, fields } = JSON.parse(kept.toString("utf8", 0, end)) as { status: number; fields: string[] };
  const body = kept.subarray(end + 1);
  return { status, headers: new HeaderList(fields), body: body.length === 0 ? null : body };
}

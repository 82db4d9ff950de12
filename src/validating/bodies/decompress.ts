import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate } from "node:zlib";
import { GatewayError } from "../../core/errors.ts";
import { Malformed } from "../parameters/decode.ts";

/** With `info`, zlib tells how much it read beside what it made of it. */
interface Unpacked {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}
type Decode = (bytes: Buffer, options: { maxOutputLength: number; info: true }) => Promise<unknown>;

const CODINGS: Readonly<Record<string, Decode>> = {
  gzip: promisify(gunzip),
  "x-gzip": promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
};

/**
 * A body as it was before its Content-Encoding: what is checked is what the service will read. The bytes forwarded stay
 * as they are.
 * @param limitBytes of the result: 10 MB can hold 10 GB (ATTACKS 42)
 * @throws GatewayError BODY_TOO_LARGE, MEDIA_TYPE_UNSUPPORTED for a coding that cannot be read
 */
export async function decompress(
  bytes: Buffer,
  coding: string | undefined,
  limitBytes: number,
): Promise<Buffer | Malformed> {
  const name = coding?.trim().toLowerCase() ?? "identity";
  if (name === "identity" || name === "") return bytes;
  const decode = Object.hasOwn(CODINGS, name) ? CODINGS[name] : undefined;
  if (decode === undefined) {
    throw new GatewayError("MEDIA_TYPE_UNSUPPORTED", "send the body as it is, or in one of gzip, deflate, br", {
      headers: { "Accept-Encoding": "gzip, deflate, br" },
    });
  }
  try {
    const { buffer, engine } = (await decode(bytes, {
      maxOutputLength: Math.max(1, limitBytes),
      info: true,
    })) as Unpacked;
    // What stands behind the end would be forwarded unseen.
    return engine.bytesWritten < bytes.length
      ? new Malformed("encoding", `has something behind its ${name} stream`)
      : buffer;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw new GatewayError("BODY_TOO_LARGE", `at most ${limitBytes} bytes are taken, after decompression`);
    }
    return new Malformed("encoding", `is not a complete ${name} stream`);
  }
}

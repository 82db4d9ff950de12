import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate } from "node:zlib";

const DECODERS = new Map([
  ["gzip", promisify(gunzip)],
  ["x-gzip", promisify(gunzip)],
  ["deflate", promisify(inflate)],
  ["br", promisify(brotliDecompress)],
]);

/**
 * A body as it was before its Content-Encoding.
 * @param maxBytes of the result: 10 MB can hold 10 GB (ATTACKS 42)
 * @throws Error for a coding that is not known, a body that is not in it, or one that is too long
 */
export async function decodeBody(body: Buffer, coding: string, maxBytes: number): Promise<Buffer> {
  const decode = DECODERS.get(coding.trim().toLowerCase());
  if (decode === undefined) throw new Error(`its Content-Encoding ${coding} is not known`);
  return decode(body, { maxOutputLength: maxBytes });
}

import { HeaderList } from "../../core/headers.ts";
import { findMediaType, type ParsedMediaType } from "../../core/media-type.ts";
import { Malformed } from "../parameters/decode.ts";

/** One part of a multipart body (RFC 2046 §5.1). */
export interface Part {
  readonly name: string | undefined;
  readonly fileName: string | undefined;
  readonly type: ParsedMediaType | undefined;
  readonly headers: HeaderList;
  readonly bytes: Buffer;
}

const MAX_PARTS = 1_000;
const MAX_HEADER_BYTES = 16_384;
const CRLF = Buffer.from("\r\n");
const BLANK_LINE = Buffer.from("\r\n\r\n");

const malformed = (message: string): Malformed => new Malformed("parse", message);

/** Splits a body into its parts, which share its memory. Every limit is checked before anything is kept. ATTACKS 43. */
export function splitMultipart(body: Buffer, boundary: string | undefined): Part[] | Malformed {
  if (boundary === undefined || boundary === "" || boundary.length > 70) {
    return malformed("needs a boundary of 1 to 70 characters in its Content-Type");
  }
  const delimiter = Buffer.from(`--${boundary}`, "latin1");
  const parts: Part[] = [];
  let at = findDelimiter(body, delimiter, 0);
  for (;;) {
    if (at < 0) return malformed("does not end with its boundary");
    let start = at + delimiter.length;
    if (body[start] === 0x2d && body[start + 1] === 0x2d) return parts;
    while (body[start] === 0x20 || body[start] === 0x09) start++;
    if (!body.subarray(start, start + 2).equals(CRLF)) return malformed("has a boundary that does not end its line");
    if (parts.length >= MAX_PARTS) return malformed(`has more than ${MAX_PARTS} parts`);
    at = findDelimiter(body, delimiter, start);
    if (at < 0) return malformed("does not end with its boundary");
    const part = parsePart(body.subarray(start, at - 2));
    if (part instanceof Malformed) return part;
    parts.push(part);
  }
}

/** A delimiter stands at the start of a line. */
function findDelimiter(body: Buffer, delimiter: Buffer, from: number): number {
  for (let at = body.indexOf(delimiter, from); at >= 0; at = body.indexOf(delimiter, at + 1)) {
    if (at === 0 || (body[at - 1] === 0x0a && body[at - 2] === 0x0d && at - 2 >= from)) return at;
  }
  return -1;
}

/** @param bytes from the end of the line of the boundary */
function parsePart(bytes: Buffer): Part | Malformed {
  const end = bytes.indexOf(BLANK_LINE);
  if (end < 0 || end > MAX_HEADER_BYTES) {
    return malformed(`has a part whose header is unfinished or longer than ${MAX_HEADER_BYTES} bytes`);
  }
  const headers = new HeaderList();
  for (const line of bytes.subarray(2, Math.max(2, end)).toString("utf8").split("\r\n")) {
    if (line === "") continue;
    const colon = line.indexOf(":");
    if (colon <= 0) return malformed("has a part with a header line that has no name");
    headers.append(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
  }
  const disposition = headers.get("content-disposition") ?? "";
  const type = headers.get("content-type");
  return {
    name: findField(disposition, "name"),
    fileName: findField(disposition, "filename") ?? findField(disposition, "filename\\*"),
    type: type === undefined ? undefined : findMediaType(type),
    headers,
    bytes: bytes.subarray(end + 4),
  };
}

/** Browsers write a quote in a name as `%22` and leave backslashes as they are (HTML, multipart/form-data). */
function findField(disposition: string, field: string): string | undefined {
  const found = new RegExp(`(?:^|;)\\s*${field}=(?:"([^"]*)"|([^;\\s"]+))`, "i").exec(disposition);
  return (found?.[1] ?? found?.[2])?.replaceAll("%22", '"');
}

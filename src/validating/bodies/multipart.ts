import { HeaderList } from "../../core/headers.ts";
import { findMediaType, type ParsedMediaType } from "../../core/media-type.ts";
import { Malformed } from "../parameters/decode.ts";

/** What stands before the content of a part (RFC 2046 §5.1). */
export interface PartHead {
  readonly name: string | undefined;
  readonly fileName: string | undefined;
  readonly type: ParsedMediaType | undefined;
  readonly headers: HeaderList;
}

export interface Part extends PartHead {
  /** The content; of a long file only its beginning. */
  readonly bytes: Buffer;
  /** Of the whole content. */
  readonly length: number;
}

/** Who is told of parts as they are read. */
export interface PartListener {
  onHead(head: PartHead): void;
  /** @param bytes some of the content, in the memory of what was read */
  onBytes(bytes: Buffer): void;
  onEnd(): void;
}

const MAX_PARTS = 1_000;
const MAX_HEADER_BYTES = 16_384;
const EMPTY = Buffer.alloc(0);
const BLANK_LINE = Buffer.from("\r\n\r\n");

const malformed = (message: string): Malformed => new Malformed("parse", message);

/** Parts a body into its parts as it comes. Every limit is checked before anything is kept. ATTACKS 43. */
export class MultipartReader {
  /** Why the rest is not read. */
  failure: Malformed | undefined = undefined;
  private readonly listener: PartListener;
  private readonly delimiter: Buffer;
  private state: "first" | "preamble" | "boundary" | "header" | "content" | "over" = "first";
  private rest: Buffer = EMPTY;
  private count = 0;

  constructor(boundary: string | undefined, listener: PartListener) {
    this.listener = listener;
    this.delimiter = Buffer.from(`\r\n--${boundary ?? ""}`, "latin1");
    if (boundary === undefined || boundary === "" || boundary.length > 70) {
      this.failure = malformed("needs a boundary of 1 to 70 characters in its Content-Type");
    }
  }

  write(chunk: Buffer): void {
    if (this.failure !== undefined || this.state === "over") return;
    this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    while (this.failure === undefined && this.step()) {
      // Until there is too little to go on.
    }
  }

  end(): void {
    if (this.state !== "over") this.failure ??= malformed("does not end with its boundary");
  }

  /** @returns false when more must come first */
  private step(): boolean {
    switch (this.state) {
      case "first":
        return this.readFirst();
      case "preamble":
        return this.skipPreamble();
      case "boundary":
        return this.readBoundary();
      case "header":
        return this.readHeader();
      case "content":
        return this.readContent();
      default:
        return false;
    }
  }

  /** The first delimiter needs no line before it. */
  private readFirst(): boolean {
    const { rest, delimiter } = this;
    const length = delimiter.length - 2;
    if (rest.length < length) return false;
    const isThere = delimiter.compare(rest, 0, length, 2) === 0;
    this.state = isThere ? "boundary" : "preamble";
    if (isThere) this.rest = rest.subarray(length);
    return true;
  }

  private skipPreamble(): boolean {
    const { rest, delimiter } = this;
    const at = rest.indexOf(delimiter);
    this.rest = rest.subarray(at < 0 ? Math.max(0, rest.length - delimiter.length + 1) : at + delimiter.length);
    if (at >= 0) this.state = "boundary";
    return at >= 0;
  }

  private readBoundary(): boolean {
    const { rest } = this;
    if (rest.length < 2) return false;
    if (rest[0] === 0x2d && rest[1] === 0x2d) {
      this.state = "over";
      this.rest = EMPTY;
      return false;
    }
    let start = 0;
    while (rest[start] === 0x20 || rest[start] === 0x09) start++;
    if (rest.length < start + 2 && start < MAX_HEADER_BYTES) return false;
    if (rest[start] !== 0x0d || rest[start + 1] !== 0x0a)
      return this.fail("has a boundary whose line does not end with CR and LF");
    if (++this.count > MAX_PARTS) return this.fail(`has more than ${MAX_PARTS} parts`);
    this.rest = rest.subarray(start);
    this.state = "header";
    return true;
  }

  private readHeader(): boolean {
    const { rest } = this;
    const end = rest.indexOf(BLANK_LINE);
    if (end < 0 ? rest.length > MAX_HEADER_BYTES : end > MAX_HEADER_BYTES) {
      return this.fail(`has a part whose header is longer than ${MAX_HEADER_BYTES} bytes`);
    }
    if (end < 0) return false;
    const head = parseHead(rest.subarray(2, Math.max(2, end)));
    if (head instanceof Malformed) {
      this.failure = head;
      return false;
    }
    this.rest = rest.subarray(end + BLANK_LINE.length);
    this.state = "content";
    this.listener.onHead(head);
    return true;
  }

  private readContent(): boolean {
    const { rest, delimiter, listener } = this;
    const at = rest.indexOf(delimiter);
    const length = at < 0 ? rest.length - delimiter.length + 1 : at;
    if (length > 0) listener.onBytes(rest.subarray(0, length));
    this.rest = rest.subarray(at < 0 ? Math.max(0, length) : at + delimiter.length);
    if (at < 0) return false;
    this.state = "boundary";
    listener.onEnd();
    return true;
  }

  private fail(message: string): false {
    this.failure = malformed(message);
    return false;
  }
}

function parseHead(bytes: Buffer): PartHead | Malformed {
  const headers = new HeaderList();
  for (const line of bytes.toString("utf8").split("\r\n")) {
    if (line === "") continue;
    const colon = line.indexOf(":");
    if (colon <= 0) return malformed("has a part with a header line that has no name");
    headers.append(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
  }
  if (headers.getAll("content-disposition").length > 1 || headers.getAll("content-type").length > 1)
    return malformed("has a part that describes itself twice");
  const fields = findFields(headers.get("content-disposition") ?? "");
  if (fields === undefined) return malformed("has a part whose Content-Disposition can be read in more than one way");
  const type = headers.get("content-type");
  return {
    name: fields.get("name"),
    fileName: fields.get("filename") ?? fields.get("filename*"),
    type: type === undefined ? undefined : findMediaType(type),
    headers,
  };
}

const FIELD = /;\s*([^\s=;"]+)=(?:"([^"]*)"|([^;\s"]+))\s*|;\s*/y;

/**
 * Browsers write a quote in a name as `%22` and leave backslashes as they are (HTML, multipart/form-data); others write
 * `\"`.
 * @returns undefined for what these would read differently, or what stands there twice
 */
function findFields(disposition: string): ReadonlyMap<string, string> | undefined {
  const fields = new Map<string, string>();
  const start = disposition.indexOf(";");
  FIELD.lastIndex = start;
  while (start >= 0 && FIELD.lastIndex < disposition.length) {
    const match = FIELD.exec(disposition);
    if (match === null) return undefined;
    if (match[1] === undefined) continue;
    const name = match[1].toLowerCase();
    if (fields.has(name) || match[2]?.endsWith("\\") === true) return undefined;
    fields.set(name, (match[2] ?? (match[3] as string)).replaceAll("%22", '"'));
  }
  return fields;
}

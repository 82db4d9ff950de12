import { readFieldLines } from "../../core/field-lines.ts";
import { HeaderList } from "../../core/headers.ts";
import { NOT_IN_TRAILERS } from "../hop-by-hop.ts";
import { malformed } from "../upstream-error.ts";

/** Told of each stretch of body bytes within the buffer that is being read. */
export interface BodySink {
  onBody(buffer: Buffer, from: number, to: number): void;
}

/** A size, then extensions: without the spaces that only some readers take (RFC 9112 §7.1.1). */
const SIZE_LINE =
  /^([0-9a-fA-F]{1,14})(?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"(?:[\t !#-[\]-~]|\\[\t -~])*"))?)*\r\n$/;
const MAX_LINE = 4_096;
/** Of one body: bytes that are no body cost the reader, and not the sender. ATTACKS 8. */
const MAX_EXTENSION_BYTES = 16_384;
const MAX_TRAILER_BYTES = 16_384;
const LF = 10;
const CR = 13;

const SIZE = 0;
const DATA = 1;
const DATA_END = 2;
const TRAILERS = 3;
const DONE = 4;

/** Takes a chunked body apart, however it is cut into reads. */
export class ChunkedBody {
  trailers: HeaderList | undefined = undefined;
  private state = SIZE;
  private left = 0;
  private line = "";
  private extensionBytes = 0;
  private hasCr = false;

  get isDone(): boolean {
    return this.state === DONE;
  }

  /** @returns where it stopped: `to`, or before that when the body is over. @throws UpstreamError malformed */
  read(buffer: Buffer, from: number, to: number, sink: BodySink): number {
    let at = from;
    while (at < to && this.state !== DONE) {
      if (this.state === DATA) {
        const end = Math.min(to, at + this.left);
        this.left -= end - at;
        sink.onBody(buffer, at, end);
        at = end;
        if (this.left === 0) this.state = DATA_END;
      } else if (this.state === DATA_END) {
        this.endData(buffer[at++] as number);
      } else {
        at = this.readLine(buffer, at, to);
      }
    }
    return at;
  }

  private endData(byte: number): void {
    if (byte !== (this.hasCr ? LF : CR)) throw malformed("a chunk is not as long as it says");
    if (this.hasCr) this.state = SIZE;
    this.hasCr = !this.hasCr;
  }

  private readLine(buffer: Buffer, from: number, to: number): number {
    let end = from;
    while (end < to && buffer[end] !== LF) end++;
    const isWhole = end < to;
    if (isWhole) end++;
    this.line += buffer.toString("latin1", from, end);
    if (this.state === SIZE) {
      if (this.line.length > MAX_LINE) throw malformed("a chunk's extension is too long");
      if (isWhole) this.startChunk();
    } else {
      if (this.line.length > MAX_TRAILER_BYTES) throw malformed("the trailer section is too large");
      if (isWhole && (this.line === "\r\n" || this.line.endsWith("\r\n\r\n"))) this.finish();
    }
    return end;
  }

  private startChunk(): void {
    const size = SIZE_LINE.exec(this.line)?.[1];
    if (size === undefined) throw malformed("a chunk has no valid size");
    this.extensionBytes += this.line.length - size.length - 2;
    if (this.extensionBytes > MAX_EXTENSION_BYTES) throw malformed("the chunks' extensions are too long");
    this.line = "";
    this.left = Number.parseInt(size, 16);
    if (!Number.isSafeInteger(this.left)) throw malformed("a chunk is too large to be true");
    this.state = this.left === 0 ? TRAILERS : DATA;
  }

  private finish(): void {
    this.state = DONE;
    if (this.line.length === 2) return;
    const flat: string[] = [];
    const names: string[] = [];
    const fault = readFieldLines(this.line, 0, this.line.length - 2, { flat, names });
    if (fault !== undefined) throw malformed(fault);
    if (names.includes("content-length") || names.includes("transfer-encoding")) {
      throw malformed("the trailer section says how the body is framed");
    }
    this.trailers = new HeaderList(flat, names);
    this.trailers.filter((name) => !NOT_IN_TRAILERS.has(name));
  }
}

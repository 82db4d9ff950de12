import { WHOLE_BODY_BYTES } from "../../core/body.ts";
import type { Body, GatewayResponse } from "../../core/exchange.ts";
import type { Asking } from "../asking.ts";
import { type BodySource, UpstreamBody } from "../upstream-body.ts";
import { malformed, UpstreamError } from "../upstream-error.ts";
import { type AnswerHead, IN_CHUNKS, readAnswerHead, UNTIL_CLOSE } from "./answer-head.ts";
import { ChunkedBody } from "./chunked.ts";
import type { ReadBuffer } from "./read-buffer.ts";

/** Interim answers that one answer may be preceded by; more is a flood. ATTACKS 14. */
const MAX_INTERIM = 16;
const MAX_HEAD_BYTES = 65_536;
/** What is looked at first for the end of the head: the rest of the buffer is most likely body. */
const FIRST_LOOK_BYTES = 4_096;

const HEAD = 0;
const WHOLE = 1;
const LENGTH = 2;
const CHUNKS = 3;
const REST = 4;
const OVER = 5;

/** Makes the answers of one connection out of its bytes, however they are cut into reads. */
export class AnswerReader {
  /** The upstream keeps the connection after this answer. */
  head: AnswerHead | undefined = undefined;
  hasBegun = false;
  stream: UpstreamBody | undefined = undefined;
  private readonly source: BodySource;
  private readonly buffers: ReadBuffer;
  private asking: Asking | undefined = undefined;
  private state = OVER;
  private pending = "";
  private interim = 0;
  private left = 0;
  private whole: Buffer | undefined = undefined;
  private chunked: ChunkedBody | undefined = undefined;
  private parts: Buffer[] | undefined = undefined;
  private response: GatewayResponse | undefined = undefined;

  constructor(source: BodySource, buffers: ReadBuffer) {
    this.source = source;
    this.buffers = buffers;
  }

  get isReadingBody(): boolean {
    return this.state !== HEAD && this.state !== OVER;
  }

  start(asking: Asking): void {
    this.asking = asking;
    this.state = HEAD;
    this.hasBegun = false;
    this.interim = 0;
  }

  /** @returns true once the answer is over. @throws UpstreamError */
  read(buffer: Buffer, length: number): boolean {
    this.hasBegun = true;
    const at = this.state === HEAD ? this.readHead(buffer, length) : this.readBody(buffer, 0, length);
    if (this.state !== OVER) return false;
    // They would be taken for the next request's answer.
    if (at < length) throw malformed("bytes follow the answer");
    this.finish();
    return true;
  }

  /** The upstream will send no more. @returns true when that is how its answer ends. @throws UpstreamError */
  end(): boolean {
    if (this.state === REST) {
      this.state = OVER;
      this.finish();
      return true;
    }
    throw new UpstreamError("broken", this.hasBegun ? "it ended in the middle of its answer" : "it ended unanswered");
  }

  /** Tells who asks that there will be no more. */
  fail(asking: Asking, error: Error): void {
    const { stream } = this;
    this.forget();
    this.state = OVER;
    if (stream === undefined) {
      asking.onFail(error);
      return;
    }
    stream.destroy(error);
    asking.onEnd(error);
  }

  onBody(buffer: Buffer, from: number, to: number): void {
    if (this.whole !== undefined) {
      buffer.copy(this.whole, this.whole.length - this.left, from, to);
      this.left -= to - from;
    } else if (this.parts !== undefined) {
      this.parts.push(Buffer.from(buffer.subarray(from, to)));
    } else if (this.stream !== undefined) {
      this.passOn(this.stream, buffer, from, to);
    }
  }

  private passOn(stream: UpstreamBody, buffer: Buffer, from: number, to: number): void {
    const { buffers } = this;
    if (!stream.isDirect || buffers.isShared(buffer)) {
      if (!stream.accept(buffers.take(buffer, from, to))) buffers.isPaused = true;
      return;
    }
    if (!stream.accept(buffer.subarray(from, to))) buffers.isPaused = true;
    if (!stream.hasLeft) buffers.lend();
  }

  private readHead(buffer: Buffer, length: number): number {
    const before = this.pending.length;
    let text = this.pending + buffer.toString("latin1", 0, before === 0 ? Math.min(length, FIRST_LOOK_BYTES) : length);
    let at = 0;
    for (;;) {
      let end = text.indexOf("\r\n\r\n", at);
      if (end < 0 && text.length < before + length) {
        text = buffer.toString("latin1", 0, length);
        end = text.indexOf("\r\n\r\n", at);
      }
      if ((end < 0 ? text.length : end) - at > MAX_HEAD_BYTES) {
        throw new UpstreamError("headers-too-large", "the header section is too large");
      }
      if (end < 0) {
        this.pending = at === 0 ? text : text.slice(at);
        refuseWhatIsNotHttp(this.pending);
        return length;
      }
      const head = readAnswerHead(text, at, end, this.asking?.method === "HEAD");
      at = end + 4;
      if (head.status >= 200) {
        this.pending = "";
        return this.begin(head, buffer, at - before, length);
      }
      this.inform(head);
    }
  }

  private inform({ status, headers }: AnswerHead): void {
    if (status === 101) throw malformed("it switches protocols unasked");
    this.interim++;
    if (this.interim > MAX_INTERIM) throw malformed("more interim answers than one request can have");
    this.asking?.onInformation(status, headers);
  }

  private begin(head: AnswerHead, buffer: Buffer, from: number, length: number): number {
    this.head = head;
    const { bodyBytes } = head;
    if (bodyBytes === 0) {
      this.state = OVER;
      return from;
    }
    this.left = bodyBytes;
    if (bodyBytes > 0 && bodyBytes <= WHOLE_BODY_BYTES) {
      this.state = WHOLE;
      this.whole = Buffer.allocUnsafe(bodyBytes);
    } else if (bodyBytes === IN_CHUNKS) {
      this.state = CHUNKS;
      this.chunked = new ChunkedBody();
      return this.beginChunks(buffer, from, length);
    } else {
      this.state = bodyBytes === UNTIL_CLOSE ? REST : LENGTH;
      this.openStream();
    }
    return this.readBody(buffer, from, length);
  }

  /** Chunks that are all there in the first read are an answer of known length. */
  private beginChunks(buffer: Buffer, from: number, length: number): number {
    const parts: Buffer[] = [];
    this.parts = parts;
    const at = this.readBody(buffer, from, length);
    if (this.state === OVER && this.chunked?.trailers === undefined) {
      this.whole = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
      this.head?.headers.append("Content-Length", String(this.whole.length));
      return at;
    }
    this.parts = undefined;
    const stream = this.openStream();
    for (const part of parts) if (!stream.accept(part)) this.buffers.isPaused = true;
    return at;
  }

  private readBody(buffer: Buffer, from: number, length: number): number {
    if (this.state === CHUNKS) {
      const chunked = this.chunked as ChunkedBody;
      const at = chunked.read(buffer, from, length, this);
      if (chunked.isDone) this.state = OVER;
      return at;
    }
    if (this.state === REST) {
      if (from < length) this.onBody(buffer, from, length);
      return length;
    }
    const end = Math.min(length, from + this.left);
    if (end === from) return from;
    if (this.state === LENGTH) this.left -= end - from;
    this.onBody(buffer, from, end);
    if (this.left === 0) this.state = OVER;
    return end;
  }

  private openStream(): UpstreamBody {
    const stream = new UpstreamBody(this.source);
    this.stream = stream;
    this.answer(stream);
    return stream;
  }

  private finish(): void {
    if (this.stream === undefined) {
      this.answer(this.whole ?? null);
    } else {
      if (this.response !== undefined) this.response.trailers = this.chunked?.trailers;
      this.stream.complete();
    }
    this.forget();
  }

  private answer(body: Body): void {
    const { status, headers } = this.head as AnswerHead;
    this.response = { status, headers, body, trailers: undefined, isUntilClose: this.state === REST };
    this.asking?.onAnswer(this.response);
  }

  private forget(): void {
    this.asking = undefined;
    this.whole = undefined;
    this.stream = undefined;
    this.chunked = undefined;
    this.parts = undefined;
    this.response = undefined;
    this.pending = "";
  }
}

const LF_ALONE = /(?:^|[^\r])\n/;
const BEGINNING = "HTTP/1.";

/** Told at once, not when the time for headers is over. */
function refuseWhatIsNotHttp(text: string): void {
  if (!text.startsWith(BEGINNING.slice(0, text.length))) throw malformed("it does not speak HTTP/1.1");
  // The end of such a head would be waited for until it is too late (RFC 9112 §2.2).
  if (LF_ALONE.test(text)) throw malformed("a line of its head ends without CR");
}

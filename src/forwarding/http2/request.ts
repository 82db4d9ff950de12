import { type ClientHttp2Session, type ClientHttp2Stream, constants, type OutgoingHttpHeaders } from "node:http2";
import { isStream } from "../../core/body.ts";
import type { Asking, UnderWay } from "../asking.ts";
import { isHeldByClient, takenBack } from "../held.ts";
import { streamLength } from "../request-line.ts";
import { Upload, type UploadOwner, type UploadSink } from "../upload.ts";
import { malformed, UpstreamError } from "../upstream-error.ts";
import { Answer } from "./answer.ts";
import { watchEnd } from "./end-of-stream.ts";
import { readAnswerFields, readTrailerFields, writeTrailerFields } from "./fields.ts";
import { isMalformed } from "./frame-error.ts";

/** Who has the session that a request is on. */
export interface RequestOwner {
  /** Something has come: the session is alive. */
  onSign(): void;
  /**
   * A request has waited in vain. The connection may lead nowhere, or the library may have ended the session by itself and,
   * before Node 24, told nobody: then the next request would wait in vain, too.
   */
  onSilence(): void;
  /** Its stream is closed: there is room for another. */
  onClose(request: Http2Request): void;
  /** To be sent again elsewhere: nothing has been done with it, and all of it is still there. */
  onUnprocessed(asking: Asking): void;
}

/** Interim answers that one answer may be preceded by; more is a flood. ATTACKS 14. */
const MAX_INTERIM = 16;

/** One request on its stream of a session, and its answer. */
export class Http2Request implements UnderWay, UploadOwner, UploadSink {
  readonly out: ClientHttp2Stream;
  /** The session keeps what it has not sent. */
  readonly canRelease = false;
  private readonly asking: Asking;
  private readonly owner: RequestOwner;
  private readonly answer: Answer;
  private hasEnded = false;
  private isReading = false;
  private isSessionMalformed = false;
  private upload: Upload | undefined = undefined;
  private timer: NodeJS.Timeout;
  private interim = 0;
  private isOver = false;
  private pausedAtMs: number | undefined = undefined;

  /** @throws what the session has against it */
  constructor(session: ClientHttp2Session, asking: Asking, fields: OutgoingHttpHeaders, owner: RequestOwner) {
    const { body } = asking;
    this.asking = asking;
    this.owner = owner;
    this.answer = new Answer(asking, this);
    const isUpload = isStream(body);
    const length = isUpload ? streamLength(asking) : 0;
    const stream = session.request(fields, { endStream: body === null, waitForTrailers: isUpload && length < 0 });
    this.out = stream;
    watchEnd(stream, () => {
      this.hasEnded = true;
    });
    this.timer = this.setTimer(asking.headersMs);
    stream.on("headers", (sent, _flags, raw?: string[]) => this.onInterim(Number(sent[":status"]), raw ?? []));
    stream.on("response", (sent, _flags, raw?: string[]) => this.onHead(Number(sent[":status"]), raw ?? []));
    stream.on("trailers", (sent) => {
      this.answer.trailers = readTrailerFields(sent);
    });
    stream.on("wantTrailers", () => this.sendTrailers());
    stream.on("end", () => this.onEnd());
    // "close" follows.
    stream.on("error", (error) => {
      this.isSessionMalformed = isMalformed(error);
    });
    stream.on("close", () => {
      this.owner.onClose(this);
      this.fail(this.toError());
    });
    asking.underWay = this;
    if (!isUpload) {
      if (body !== null) stream.end(body);
      return;
    }
    this.upload = new Upload(this, body, length, this);
    this.upload.start();
  }

  /** A client keeps it waiting. */
  isHeld(nowMs: number): boolean {
    return !this.isOver && isHeldByClient(this.asking.startedAtMs, this.pausedAtMs, this.upload, nowMs);
  }

  /** Ends what a slow client holds. */
  takeBack(): void {
    this.fail(takenBack());
  }

  /** The instance will do nothing with it. @param canGoElsewhere and this is the usual end of a session */
  dropUnprocessed(canGoElsewhere: boolean): void {
    const { asking } = this;
    if (this.isOver) return;
    if (this.answer.hasBegun || !canGoElsewhere || isStream(asking.body)) {
      this.fail(this.unprocessed("the session ended before the request was looked at"));
      return;
    }
    this.leave();
    this.owner.onUnprocessed(asking);
  }

  abort(error: Error): void {
    this.fail(error);
  }

  /** The body's reader has room again. */
  resume(): void {
    if (this.pausedAtMs === undefined) return;
    this.pausedAtMs = undefined;
    this.timer.refresh();
    this.out.resume();
  }

  write(chunk: Buffer): void {
    this.out.write(chunk);
  }

  end(): void {
    this.out.end();
  }

  onUploadProgress(): void {
    if (!this.answer.hasBegun) this.timer.refresh();
  }

  onUploadFail(error: Error): void {
    this.fail(error);
  }

  private sendTrailers(): void {
    try {
      this.out.sendTrailers(writeTrailerFields(this.asking));
    } catch (error) {
      this.fail(error as Error);
    }
  }

  private onInterim(status: number, raw: readonly string[]): void {
    this.owner.onSign();
    if (this.isOver) return;
    this.interim++;
    if (this.interim > MAX_INTERIM) this.fail(malformed("more interim answers than one request can have"));
    else this.asking.onInformation(status, readAnswerFields(raw));
  }

  private onHead(status: number, raw: readonly string[]): void {
    this.owner.onSign();
    if (this.isOver) return;
    if (!(status >= 200)) {
      this.fail(malformed("an interim answer is its last"));
      return;
    }
    clearTimeout(this.timer);
    this.timer = this.setTimer(this.asking.bodyIdleMs);
    // A body that is there by then, all of it, is one of known length.
    if (this.answer.setHead(status, readAnswerFields(raw)) || this.hasEnded) this.begin();
    else setImmediate(() => this.begin());
  }

  private begin(): void {
    if (this.isOver || this.isReading) return;
    this.isReading = true;
    this.out.on("data", (chunk: Buffer) => this.onData(chunk));
    this.answer.begin(this.hasEnded ? this.out.readableLength : undefined);
  }

  private onData(chunk: Buffer): void {
    this.owner.onSign();
    if (this.isOver) return;
    this.timer.refresh();
    if (this.answer.take(chunk)) return;
    this.out.pause();
    this.pausedAtMs = performance.now();
  }

  private onEnd(): void {
    if (this.isOver) return;
    if (!this.hasEnded) {
      this.fail(this.toError());
      return;
    }
    this.begin();
    const { upload } = this;
    // An answer before its request's end: the rest is not wanted.
    if (upload !== undefined && !upload.isOver) setImmediate(cancel, this.out);
    this.leave();
    this.answer.finish();
    this.asking.onEnd(undefined);
  }

  /** Breaks it off; the session and its other streams go on. */
  fail(error: Error): void {
    if (this.isOver) return;
    this.leave();
    setImmediate(cancel, this.out);
    this.answer.fail(error);
  }

  private toError(): UpstreamError {
    const code = this.out.rstCode;
    if (code === constants.NGHTTP2_REFUSED_STREAM) return this.unprocessed("the upstream refused the stream");
    if (this.isSessionMalformed || OF_PROTOCOL.has(code ?? 0)) return malformed("the stream was not HTTP/2");
    return new UpstreamError("broken", "the stream ended before its answer");
  }

  /** Not where an answer has begun: then something was done, whatever is said now. */
  private unprocessed(message: string): UpstreamError {
    return new UpstreamError(this.answer.hasBegun ? "broken" : "unprocessed", message);
  }

  private leave(): void {
    this.isOver = true;
    clearTimeout(this.timer);
    this.upload?.stop();
    this.asking.underWay = undefined;
  }

  private setTimer(ms: number): NodeJS.Timeout {
    return setTimeout(onTimeout, ms, this).unref();
  }

  /** Called by the timer. */
  expire(): void {
    // It is the client that is waited for.
    if (this.pausedAtMs !== undefined || this.upload?.isWaiting === true) {
      this.timer.refresh();
      return;
    }
    this.owner.onSilence();
    if (this.answer.hasBegun) this.fail(new UpstreamError("body-timeout", "the body stopped coming"));
    else this.fail(new UpstreamError("headers-timeout", "no headers in time"));
  }
}

const onTimeout = (request: Http2Request): void => request.expire();

/** Not while the session reads: Node 24 then puts RST_STREAM off, and loses it with a stream that is over by then. */
const cancel = (stream: ClientHttp2Stream): void => stream.close(constants.NGHTTP2_CANCEL);

/** Says that one side has broken the protocol, or that it takes the other to have done so. */
const OF_PROTOCOL: ReadonlySet<number> = new Set([
  constants.NGHTTP2_PROTOCOL_ERROR,
  constants.NGHTTP2_FLOW_CONTROL_ERROR,
  constants.NGHTTP2_STREAM_CLOSED,
  constants.NGHTTP2_FRAME_SIZE_ERROR,
  constants.NGHTTP2_COMPRESSION_ERROR,
  constants.NGHTTP2_ENHANCE_YOUR_CALM,
]);

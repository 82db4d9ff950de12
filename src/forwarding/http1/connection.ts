import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { isStream } from "../../core/body.ts";
import type { Asking, UnderWay } from "../asking.ts";
import { isHeldByClient, takenBack } from "../held.ts";
import type { OpenSocket } from "../open-socket.ts";
import { streamLength } from "../request-line.ts";
import { Upload } from "../upload.ts";
import { asUnreachable, malformed, UpstreamError } from "../upstream-error.ts";
import { AnswerReader } from "./answer-reader.ts";
import { ReadBuffer } from "./read-buffer.ts";
import { writeRequestHead } from "./request-head.ts";
import { ChunkSink, LengthSink } from "./upload-sinks.ts";

/** Who keeps connections that wait for their next request. */
export interface ConnectionOwner {
  /** Of the instance, as `Host` says it. */
  readonly host: string;
  readonly isSecure: boolean;
  readonly connectMs: number;
  readonly shared: Buffer;
  readonly open: OpenSocket;
  release(connection: Connection): void;
  forget(connection: Connection): void;
}

/** Kept without a word of the upstream about it: under the 5 s after which servers commonly close. */
const KEEP_ALIVE_MS = 4_000;
/** Before the upstream's own limit, so that no request is sent into a closing connection. */
const MARGIN_MS = 1_000;
const MAX_KEEP_ALIVE_MS = 600_000;
/** Up to here a body leaves in one write with its head. */
const JOINED_BYTES = 16_384;

/** One connection to an instance: opened for a request, then kept for others, one at a time. */
export class Connection implements UnderWay {
  private readonly owner: ConnectionOwner;
  private readonly socket: Socket;
  private readonly buffers: ReadBuffer;
  private readonly reader: AnswerReader;
  private asking: Asking | undefined;
  private upload: Upload | undefined = undefined;
  private timer: NodeJS.Timeout | undefined = undefined;
  private timerMs = 0;
  private isOpen = false;
  private isOver = false;
  private expiresAtMs = 0;
  private pausedAtMs = 0;

  /** @throws GatewayError UPSTREAM_ADDRESS_REFUSED */
  constructor(owner: ConnectionOwner, asking: Asking) {
    this.owner = owner;
    this.asking = asking;
    this.buffers = new ReadBuffer(owner.shared);
    this.reader = new AnswerReader(this, this.buffers);
    const { buffers, reader } = this;
    this.socket = owner.open({
      buffer: () => buffers.next(reader.stream !== undefined),
      callback: (length, buffer) => this.read(buffer as Buffer, length),
    });
    asking.underWay = this;
    this.arm(owner.connectMs);
    this.socket.once(owner.isSecure ? "secureConnect" : "connect", () => {
      this.isOpen = true;
      if (this.asking !== undefined) this.send(this.asking);
    });
    this.socket.on("end", () => this.onEnd());
    this.socket.on("error", (error) => this.fail(this.isOpen ? error : asUnreachable(error)));
    this.socket.on("close", () =>
      this.fail(new UpstreamError(this.isOpen ? "broken" : "unreachable", "the connection was closed")),
    );
  }

  isFresh(nowMs: number): boolean {
    return nowMs < this.expiresAtMs;
  }

  /** The body of its request is still coming. */
  get isUploading(): boolean {
    return this.asking !== undefined && isStream(this.asking.body) && this.upload?.isOver !== true;
  }

  /** It is the client that keeps this connection busy: by hardly reading its answer, or hardly sending its body. */
  isHeld(nowMs: number): boolean {
    const { asking, upload } = this;
    if (asking === undefined || !this.isOpen) return false;
    return isHeldByClient(asking.startedAtMs, this.buffers.isPaused ? this.pausedAtMs : undefined, upload, nowMs);
  }

  /** Ends what a slow client holds. */
  takeBack(): void {
    this.fail(takenBack());
  }

  send(asking: Asking): void {
    let head: string;
    try {
      head = writeRequestHead(asking, this.owner.host);
    } catch (error) {
      this.asking = undefined;
      this.expiresAtMs = asking.startedAtMs + MARGIN_MS;
      this.owner.release(this);
      asking.onFail(error as Error);
      return;
    }
    const { body } = asking;
    this.asking = asking;
    asking.underWay = this;
    this.reader.start(asking);
    this.arm(asking.headersMs);
    if (body === null) {
      this.socket.write(head, "latin1");
    } else if (isStream(body)) {
      this.startUpload(asking, head, body);
    } else if (body.length <= JOINED_BYTES) {
      const joined = Buffer.allocUnsafe(head.length + body.length);
      joined.write(head, 0, "latin1");
      body.copy(joined, head.length);
      this.socket.write(joined);
    } else {
      this.socket.cork();
      this.socket.write(head, "latin1");
      this.socket.write(body);
      this.socket.uncork();
    }
  }

  private startUpload(asking: Asking, head: string, body: Readable): void {
    const { socket } = this;
    const length = streamLength(asking);
    this.upload = new Upload(length < 0 ? new ChunkSink(socket, asking) : new LengthSink(socket), body, length, this);
    // A body that has come with its head leaves with it, in one write.
    socket.cork();
    socket.write(head, "latin1");
    this.upload.start();
    process.nextTick(() => socket.uncork());
  }

  /** Breaks off what is under way. What would still come on the connection cannot be trusted, so it goes. */
  abort(error: Error): void {
    this.fail(error);
  }

  close(): void {
    this.fail(new UpstreamError("broken", "the connection was let go"));
  }

  /** A stream has room again. */
  resume(): void {
    if (!this.buffers.isPaused) return;
    this.buffers.isPaused = false;
    if (this.reader.stream?.hasLeft === true) this.buffers.takeBack();
    this.timer?.refresh();
    this.socket.resume();
  }

  onUploadProgress(): void {
    if (!this.reader.isReadingBody) this.timer?.refresh();
  }

  onUploadFail(error: Error): void {
    this.fail(error);
  }

  private read(buffer: Buffer, length: number): boolean {
    const { asking, reader } = this;
    if (asking === undefined || !this.isOpen) {
      // An answer that nobody has asked for would become the next request's.
      this.fail(malformed("bytes between two answers"));
      return false;
    }
    const wasReadingBody = reader.isReadingBody;
    try {
      if (reader.read(buffer, length)) {
        this.complete(asking);
        return true;
      }
    } catch (error) {
      this.fail(error as Error);
      return false;
    }
    if (wasReadingBody) this.timer?.refresh();
    else if (reader.isReadingBody) this.arm(asking.bodyIdleMs);
    if (!this.buffers.isPaused) return true;
    this.pausedAtMs = performance.now();
    return false;
  }

  private complete(asking: Asking): void {
    const { reader, upload } = this;
    this.asking = undefined;
    asking.underWay = undefined;
    this.buffers.isPaused = false;
    const { keepsAlive, keepAliveSeconds } = reader.head as NonNullable<typeof reader.head>;
    const keptMs =
      keepAliveSeconds === undefined
        ? KEEP_ALIVE_MS
        : Math.min(MAX_KEEP_ALIVE_MS, keepAliveSeconds * 1_000 - MARGIN_MS);
    if (keepsAlive && keptMs > 0 && (upload === undefined || upload.isOver)) {
      this.upload = undefined;
      this.expiresAtMs = performance.now() + keptMs;
      this.owner.release(this);
    } else {
      // A request whose body was not all sent leaves the connection in the middle of it.
      this.close();
    }
    asking.onEnd(undefined);
  }

  private onEnd(): void {
    const { asking } = this;
    // Before it is open, "close" follows and says so.
    if (!this.isOpen) {
      this.socket.destroy();
      return;
    }
    if (asking === undefined) {
      this.close();
      return;
    }
    try {
      this.reader.end();
      this.asking = undefined;
      asking.underWay = undefined;
      this.close();
      asking.onEnd(undefined);
    } catch (error) {
      this.fail(error as Error);
    }
  }

  private fail(error: Error): void {
    if (this.isOver) return;
    this.isOver = true;
    clearTimeout(this.timer);
    this.upload?.stop();
    this.socket.destroy();
    const { asking } = this;
    this.asking = undefined;
    this.owner.forget(this);
    if (asking === undefined) return;
    asking.underWay = undefined;
    this.reader.fail(asking, error);
  }

  /** One timer a connection, set anew and not made anew for each request. */
  private arm(ms: number): void {
    if (this.timer !== undefined && ms === this.timerMs) {
      this.timer.refresh();
      return;
    }
    clearTimeout(this.timer);
    this.timerMs = ms;
    this.timer = setTimeout(onTimeout, ms, this);
    this.timer.unref();
  }

  /** Called by the timer. */
  expire(): void {
    if (this.asking === undefined) return;
    if (!this.isOpen) this.fail(new UpstreamError("connect-timeout", "no connection in time"));
    else if (this.buffers.isPaused || this.upload?.isWaiting === true) {
      // It is the client that is waited for.
      this.timer?.refresh();
    } else if (this.reader.isReadingBody) this.fail(new UpstreamError("body-timeout", "the body stopped coming"));
    else this.fail(new UpstreamError("headers-timeout", "no headers in time"));
  }
}

const onTimeout = (connection: Connection): void => connection.expire();

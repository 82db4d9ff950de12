import type { Readable, Writable } from "node:stream";
import { GatewayError } from "../core/errors.ts";
import { isReadByOne, releaseMemory } from "../core/release-memory.ts";

/** How the parts of a body are written, as the protocol frames them. */
export interface UploadSink {
  readonly out: Writable;
  /** What `out` holds no more has left the process: its memory may be given back. */
  readonly canRelease: boolean;
  write(chunk: Buffer): void;
  end(): void;
}

/** Who is told how an upload goes. */
export interface UploadOwner {
  onUploadProgress(): void;
  onUploadFail(error: Error): void;
}

/** Sends a streamed request body, no faster than the upstream takes it. */
export class Upload {
  isOver = false;
  sentBytes = 0;
  /** The upstream does not read. */
  private isBlocked = false;
  private readonly sink: UploadSink;
  private readonly body: Readable;
  private readonly owner: UploadOwner;
  private left: number;
  /** What the upstream has not taken yet. */
  private unsent: Buffer | undefined = undefined;
  private readonly hasLength: boolean;

  /** @param length −1: not known */
  constructor(sink: UploadSink, body: Readable, length: number, owner: UploadOwner) {
    this.sink = sink;
    this.body = body;
    this.owner = owner;
    this.left = length;
    this.hasLength = length >= 0;
  }

  /** It is the client that is waited for. */
  get isWaiting(): boolean {
    return !this.isOver && !this.isBlocked;
  }

  start(): void {
    const { body } = this;
    if (body.destroyed || body.readableEnded) {
      this.isOver = true;
      this.owner.onUploadFail(body.errored ?? broken());
      return;
    }
    body.on("data", this.onData);
    body.on("end", this.onEnd);
    body.on("error", this.onError);
    body.on("close", this.onClose);
  }

  /** What is left of the body stays unread. */
  stop(): void {
    if (this.isOver) return;
    this.leave();
    this.body.pause();
  }

  private readonly onData = (part: Buffer | string): void => {
    const { sink } = this;
    const { out } = sink;
    const chunk = typeof part === "string" ? Buffer.from(part) : part;
    if (chunk.length === 0) return;
    this.sentBytes += chunk.length;
    this.left -= chunk.length;
    if (this.hasLength && this.left < 0) {
      this.fail(mismatch("longer"));
      return;
    }
    sink.write(chunk);
    this.owner.onUploadProgress();
    if (out.writableLength === 0) this.release(chunk);
    if (!out.writableNeedDrain) return;
    this.isBlocked = true;
    this.unsent = chunk;
    this.body.pause();
    out.once("drain", this.onDrain);
  };

  private readonly onDrain = (): void => {
    this.isBlocked = false;
    const { unsent } = this;
    this.unsent = undefined;
    if (this.isOver) return;
    if (unsent !== undefined && this.sink.out.writableLength === 0) this.release(unsent);
    this.owner.onUploadProgress();
    this.body.resume();
  };

  private readonly onEnd = (): void => {
    if (this.left > 0) {
      this.fail(mismatch("shorter"));
      return;
    }
    this.leave();
    try {
      this.sink.end();
    } catch (error) {
      this.owner.onUploadFail(error as Error);
      return;
    }
    this.owner.onUploadProgress();
  };

  private readonly onError = (error: Error): void => this.fail(error);
  private readonly onClose = (): void => this.fail(broken());

  private release(chunk: Buffer): void {
    if (this.sink.canRelease && isReadByOne(this.body)) releaseMemory(chunk);
  }

  private fail(error: Error): void {
    this.leave();
    this.owner.onUploadFail(error);
  }

  private leave(): void {
    this.isOver = true;
    const { body } = this;
    body.off("data", this.onData);
    body.off("end", this.onEnd);
    body.off("close", this.onClose);
    // The listener for errors stays: one that nobody hears would end the process.
  }
}

const broken = (): GatewayError => new GatewayError("REQUEST_MALFORMED", "the body ended before its length");
const mismatch = (how: string): GatewayError =>
  new GatewayError("REQUEST_MALFORMED", `the body is ${how} than its Content-Length`);

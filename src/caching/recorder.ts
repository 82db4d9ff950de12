import { Readable } from "node:stream";
import { WHOLE_BODY_BYTES } from "../core/body.ts";
import type { StoredChunks } from "./answer.ts";
import type { BodyWriter } from "./store.ts";

/** A complete body: held whole when it is small, else in the store. */
export interface Recorded {
  readonly body: Buffer | null;
  readonly chunks: StoredChunks | undefined;
  readonly length: number;
}

export interface RecorderParts {
  readonly source: Readable;
  /** Bytes that `Content-Length` promises; undefined when it is not there. */
  readonly expected: number | undefined;
  readonly limitBytes: number;
  readonly createBody: () => BodyWriter;
  /** Exactly once. @param recorded undefined: nothing can be kept @param isTooLarge nor will it be the next time */
  readonly onEnd: (recorded: Recorded | undefined, isTooLarge: boolean) => void;
  /** True while others wait for the whole of it: then it goes on without its reader. */
  readonly isAwaited: () => boolean;
}

/** Passes a body on to its reader and into the store at once. What breaks off is kept nowhere. */
export class Recorder extends Readable {
  private readonly parts: RecorderParts;
  private small: Buffer[] | undefined = [];
  private writer: BodyWriter | undefined = undefined;
  private length = 0;
  private isRecording = true;
  private isDetached = false;
  private isWriting = false;

  constructor(parts: RecorderParts) {
    super({ highWaterMark: WHOLE_BODY_BYTES });
    this.parts = parts;
    const { source } = parts;
    source.on("data", (chunk: Buffer) => this.receive(chunk));
    source.once("end", () => {
      void this.finish();
    });
    source.once("error", (error) => this.fail(error));
    source.once("close", () => {
      if (!source.readableEnded) this.fail(new Error("the upstream broke off its answer"));
    });
  }

  /** Somebody began to wait: a reader that dawdles no longer sets the pace. */
  hurry(): void {
    if (!this.isWriting) this.parts.source.resume();
  }

  override _read(): void {
    if (!this.isWriting) this.parts.source.resume();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    if (!this.parts.source.readableEnded) {
      this.isDetached = true;
      if (this.isRecording && this.parts.isAwaited()) this.parts.source.resume();
      else this.parts.source.destroy();
    }
    callback(error);
  }

  private receive(chunk: Buffer): void {
    this.length += chunk.length;
    if (this.isRecording && this.length > this.parts.limitBytes) this.giveUp(true);
    const isWanted = this.isDetached || this.push(chunk);
    if (this.isRecording) this.record(chunk);
    const mayRush = this.isRecording && this.parts.isAwaited();
    if (!isWanted && !mayRush) this.parts.source.pause();
    if (this.isDetached && !this.isRecording) this.parts.source.destroy();
  }

  private record(chunk: Buffer): void {
    if (this.small !== undefined) {
      this.small.push(chunk);
      if (this.length <= WHOLE_BODY_BYTES) return;
      this.writer = this.parts.createBody();
      chunk = Buffer.concat(this.small);
      this.small = undefined;
    }
    const written = this.writer?.write(chunk);
    if (written === false) this.giveUp();
    if (!(written instanceof Promise)) return;
    this.isWriting = true;
    this.parts.source.pause();
    void written.then((isKept) => {
      this.isWriting = false;
      if (!isKept) this.giveUp();
      if (!this.parts.source.destroyed) this.parts.source.resume();
    });
  }

  private async finish(): Promise<void> {
    if (!this.isDetached) this.push(null);
    if (!this.isRecording) return;
    const { expected, onEnd } = this.parts;
    if (expected !== undefined && expected !== this.length) {
      this.giveUp();
      return;
    }
    this.isRecording = false;
    if (this.small !== undefined) {
      onEnd({ body: Buffer.concat(this.small), chunks: undefined, length: this.length }, false);
      return;
    }
    const chunks = await this.writer?.finish();
    onEnd(chunks === undefined ? undefined : { body: null, chunks, length: this.length }, false);
  }

  private fail(error: Error): void {
    this.giveUp();
    if (!this.destroyed) this.destroy(error);
  }

  private giveUp(isTooLarge = false): void {
    if (!this.isRecording) return;
    this.isRecording = false;
    this.small = undefined;
    this.writer?.discard();
    this.parts.onEnd(undefined, isTooLarge);
  }
}

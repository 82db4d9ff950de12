import { Readable } from "node:stream";
import { GatewayError } from "./errors.ts";

/** Told that all of a body has come, before its reader is. What it throws, the body fails with. */
export interface BodyEnd {
  onBodyEnd(): void;
}

/** A body of unknown length that fails with BODY_TOO_LARGE when it grows beyond its cap. Read from only once it is read. */
export class CappedBody extends Readable {
  readonly source: Readable;
  atEnd: BodyEnd | undefined = undefined;
  private readonly maxBytes: number;
  private received = 0;
  private isStarted = false;

  constructor(source: Readable, maxBytes: number) {
    super();
    this.source = source;
    this.maxBytes = maxBytes;
  }

  override _read(): void {
    if (this.isStarted) this.source.resume();
    else this.start();
  }

  private start(): void {
    this.isStarted = true;
    const { source } = this;
    source.on("data", (chunk: Buffer) => {
      this.received += chunk.length;
      if (this.received > this.maxBytes) {
        source.pause();
        this.destroy(new GatewayError("BODY_TOO_LARGE", `at most ${this.maxBytes} bytes are taken`));
      } else if (!this.push(chunk)) {
        source.pause();
      }
    });
    source.on("end", () => this.finish());
    source.on("error", (error) => this.destroy(error));
    source.on("close", () => {
      if (!source.readableEnded && !this.destroyed) this.destroy(new Error("the client broke off its body"));
    });
  }

  private finish(): void {
    try {
      this.atEnd?.onBodyEnd();
    } catch (error) {
      this.destroy(error as Error);
      return;
    }
    this.push(null);
  }
}

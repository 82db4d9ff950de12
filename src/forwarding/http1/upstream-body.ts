import { Readable } from "node:stream";
import { WHOLE_BODY_BYTES } from "../../core/body.ts";

/** Where a body comes from. */
export interface BodySource {
  /** There is room for more. */
  resume(): void;
  /** Nobody wants the rest. */
  abort(error: Error): void;
}

/** The body of an answer as it comes, with back-pressure. */
export class UpstreamBody extends Readable {
  private source: BodySource | undefined;

  constructor(source: BodySource) {
    super({ highWaterMark: WHOLE_BODY_BYTES });
    this.source = source;
    // It may break before somebody reads it, who then finds it destroyed; that must not end the process.
    this.on("error", ignore);
  }

  /** All has come: its connection serves other requests from now on. */
  complete(): void {
    this.source = undefined;
    this.push(null);
  }

  override _read(): void {
    this.source?.resume();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    const { source } = this;
    this.source = undefined;
    source?.abort(error ?? new Error("the client went away"));
    callback(error);
  }
}

const ignore = (): void => {};

import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { WHOLE_BODY_BYTES } from "../core/body.ts";
import type { GatewayResponse } from "../core/exchange.ts";

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
  private outgoing: ServerResponse | undefined = undefined;
  private response: GatewayResponse | undefined = undefined;

  constructor(source: BodySource) {
    super({ highWaterMark: WHOLE_BODY_BYTES });
    this.source = source;
    // It may break before somebody reads it, who then finds it destroyed; that must not end the process.
    this.on("error", ignore);
  }

  /** Whether its chunks go to the client as they come. */
  get isDirect(): boolean {
    return this.outgoing !== undefined;
  }

  /** Whether what was last accepted has left the process: its memory may then be written to again. */
  get hasLeft(): boolean {
    return this.outgoing?.writableLength === 0;
  }

  /**
   * Sends each chunk as it comes, without a stream's queue between: half of what streaming a large answer costs.
   * @returns false when somebody has looked at the body, who may want to see all of it
   */
  sendTo(outgoing: ServerResponse, response: GatewayResponse): boolean {
    if (this.destroyed || this.source === undefined || this.readableFlowing !== null || this.readableDidRead)
      return false;
    for (const event of ["data", "readable", "end", "close"]) if (this.listenerCount(event) > 0) return false;
    const first: Buffer | null = this.readableLength === 0 ? null : this.read();
    this.outgoing = outgoing;
    this.response = response;
    // A client that goes away takes its answer with it.
    outgoing.once("close", () => this.destroy());
    if (first === null || this.accept(first)) this.source.resume();
    return true;
  }

  /** @param chunk to be kept, unless `hasLeft` afterwards. @returns false when that is enough for now */
  accept(chunk: Buffer): boolean {
    const { outgoing } = this;
    if (outgoing === undefined) return this.push(chunk);
    if (outgoing.write(chunk) || outgoing.writableLength === 0) return true;
    outgoing.once("drain", () => this.source?.resume());
    return false;
  }

  /** All has come: its connection serves other requests from now on. */
  complete(): void {
    const { outgoing } = this;
    this.source = undefined;
    if (outgoing === undefined) {
      this.push(null);
      return;
    }
    this.outgoing = undefined;
    const trailers = this.response?.trailers;
    if (trailers !== undefined && trailers.size > 0 && outgoing.chunkedEncoding) outgoing.addTrailers([...trailers]);
    outgoing.end();
    this.destroy();
  }

  override _read(): void {
    this.source?.resume();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    const { source, outgoing } = this;
    this.source = undefined;
    this.outgoing = undefined;
    // So that the client sees that its answer is not whole.
    outgoing?.destroy();
    source?.abort(error ?? new Error("the client went away"));
    callback(error);
  }
}

const ignore = (): void => {};

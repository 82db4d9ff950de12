import { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import { WHOLE_BODY_BYTES } from "../core/body.ts";
import type { Body, GatewayResponse } from "../core/exchange.ts";
import { HeaderList } from "../core/headers.ts";
import { stripHopByHop } from "./hop-by-hop.ts";

/** What the forwarder is told of one try: exactly one of `answer` and `fail`, then `end` once the body is over. */
export interface TryListener {
  answer(response: GatewayResponse): void;
  fail(error: Error): void;
  end(error: Error | undefined): void;
}

/**
 * Turns undici's callbacks into a GatewayResponse: small answers of known length whole, the rest a stream with
 * back-pressure. One object a try, no closures: this is the request path.
 */
export class ResponseHandler implements Dispatcher.DispatchHandler {
  private readonly listener: TryListener;
  private readonly isHead: boolean;
  private abort: ((error?: Error) => void) | undefined = undefined;
  private status = 0;
  private headers: HeaderList | undefined = undefined;
  private expected = -1;
  private whole: Buffer[] | undefined = undefined;
  private received = 0;
  private stream: UpstreamBody | undefined = undefined;
  private cancelled: Error | undefined = undefined;

  constructor(listener: TryListener, isHead: boolean) {
    this.listener = listener;
    this.isHead = isHead;
  }

  /** Ends the try: the connection is destroyed, as what is left on it cannot be trusted. */
  cancel(error: Error): void {
    if (this.abort === undefined) this.cancelled = error;
    else this.abort(error);
  }

  onConnect(abort: (error?: Error) => void): void {
    this.abort = abort;
    if (this.cancelled !== undefined) abort(this.cancelled);
  }

  onHeaders(status: number, raw: Buffer[], resume: () => void): boolean {
    if (status < 200) return true;
    const flat = new Array<string>(raw.length);
    for (let i = 0; i < raw.length; i++) flat[i] = (raw[i] as Buffer).toString("latin1");
    const headers = new HeaderList(flat);
    stripHopByHop(headers);
    this.status = status;
    this.headers = headers;
    const length = headers.get("content-length");
    this.expected = length === undefined ? -1 : Number(length);
    if (this.isHead || status === 204 || status === 304 || this.expected === 0) this.expected = 0;
    if (this.expected >= 0 && this.expected <= WHOLE_BODY_BYTES) {
      this.whole = [];
      return true;
    }
    this.stream = new UpstreamBody(resume, this);
    this.answer(this.stream);
    return true;
  }

  onData(chunk: Buffer): boolean {
    if (this.stream !== undefined) return this.stream.push(chunk);
    this.received += chunk.length;
    this.whole?.push(chunk);
    return true;
  }

  onComplete(rawTrailers: Buffer[] | string[] | null): void {
    if (this.stream !== undefined) {
      if (rawTrailers !== null && rawTrailers.length > 0)
        this.stream.trailers = new HeaderList(rawTrailers.map(String));
      this.stream.push(null);
    } else {
      this.answer(this.toWhole());
    }
    this.listener.end(undefined);
  }

  onError(error: Error): void {
    if (this.stream === undefined) {
      this.listener.fail(error);
      return;
    }
    this.stream.destroy(error);
    this.listener.end(error);
  }

  private answer(body: Body): void {
    this.listener.answer({ status: this.status, headers: this.headers as HeaderList, body });
  }

  private toWhole(): Buffer | null {
    const chunks = this.whole as Buffer[];
    if (chunks.length === 0) return null;
    return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, this.received);
  }
}

class UpstreamBody extends Readable {
  trailers: HeaderList | undefined = undefined;
  private readonly resumeUpstream: () => void;
  private readonly handler: ResponseHandler;

  constructor(resumeUpstream: () => void, handler: ResponseHandler) {
    super({ highWaterMark: WHOLE_BODY_BYTES });
    this.resumeUpstream = resumeUpstream;
    this.handler = handler;
  }

  override _read(): void {
    this.resumeUpstream();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    if (!this.readableEnded) this.handler.cancel(error ?? new Error("the client went away"));
    callback(error);
  }
}

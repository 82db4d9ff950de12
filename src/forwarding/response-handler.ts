import { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import { WHOLE_BODY_BYTES } from "../core/body.ts";
import { GatewayError } from "../core/errors.ts";
import type { Body, GatewayResponse } from "../core/exchange.ts";
import { HeaderList } from "../core/headers.ts";
import { stripHopByHop } from "./hop-by-hop.ts";

/** Interim answers that one answer may be preceded by; more is a flood. ATTACKS 14. */
const MAX_INTERIM = 16;

/**
 * Turns undici's callbacks into a GatewayResponse: small answers of known length whole, the rest a stream with
 * back-pressure. What is to be done with it, a subclass says: exactly one of `onAnswer` and `onFail`, then `onEnd` once
 * the body of an answer is over.
 */
export abstract class ResponseHandler implements Dispatcher.DispatchHandler {
  protected status = 0;
  private readonly isHead: boolean;
  private abort: ((error?: Error) => void) | undefined = undefined;
  private response: GatewayResponse | undefined = undefined;
  private headers: HeaderList | undefined = undefined;
  private expected = -1;
  private interim = 0;
  private whole: Buffer | undefined = undefined;
  private parts: Buffer[] | undefined = undefined;
  private stream: UpstreamBody | undefined = undefined;
  private cancelled: Error | undefined = undefined;

  constructor(isHead: boolean) {
    this.isHead = isHead;
  }

  protected abstract onAnswer(response: GatewayResponse): void;
  protected abstract onFail(error: Error): void;
  protected abstract onEnd(error: Error | undefined): void;
  protected abstract onInformation(status: number, headers: Record<string, string | string[]>): void;

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
    if (status < 200) {
      this.interim++;
      if (this.interim > MAX_INTERIM) throw malformed("more interim answers than one request can have");
      this.onInformation(status, toRecord(raw));
      return true;
    }
    const headers = readFields(raw);
    this.status = status;
    this.headers = headers;
    this.expected = this.lengthOf(status, headers);
    if (this.expected >= 0 && this.expected <= WHOLE_BODY_BYTES) return true;
    this.stream = new UpstreamBody(resume, this);
    this.answer(this.stream);
    return true;
  }

  onData(chunk: Buffer): boolean {
    if (this.stream !== undefined) return this.stream.push(chunk);
    if (this.parts !== undefined) this.parts.push(chunk);
    else if (this.whole === undefined) this.whole = chunk;
    else this.parts = [this.whole, chunk];
    return true;
  }

  onComplete(rawTrailers: Buffer[] | string[] | null): void {
    if (this.stream !== undefined) {
      if (rawTrailers !== null && rawTrailers.length > 0 && this.response !== undefined) {
        this.response.trailers = readTrailers(rawTrailers);
      }
      this.stream.push(null);
    } else {
      this.answer(this.parts === undefined ? (this.whole ?? null) : Buffer.concat(this.parts));
    }
    this.onEnd(undefined);
  }

  onError(error: Error): void {
    // A 304 may tell the length of what it spares us (RFC 9110 §8.6); undici then misses that body.
    if (this.status === 304 && this.stream === undefined && codeOf(error) === "UND_ERR_RES_CONTENT_LENGTH_MISMATCH") {
      this.answer(null);
      this.onEnd(undefined);
      return;
    }
    if (this.stream === undefined) {
      this.onFail(error);
      return;
    }
    this.stream.destroy(error);
    this.onEnd(error);
  }

  private answer(body: Body): void {
    this.response = { status: this.status, headers: this.headers as HeaderList, body, trailers: undefined };
    this.onAnswer(this.response);
  }

  private lengthOf(status: number, headers: HeaderList): number {
    if (this.isHead || status === 204 || status === 304) return 0;
    const length = headers.get("content-length");
    return length === undefined ? -1 : Number(length);
  }
}

const malformed = (detail: string): GatewayError => new GatewayError("UPSTREAM_MALFORMED", detail);

function readFields(raw: Buffer[]): HeaderList {
  const flat = new Array<string>(raw.length);
  for (let i = 0; i < raw.length; i++) flat[i] = (raw[i] as Buffer).toString("latin1");
  const headers = new HeaderList(flat);
  stripHopByHop(headers);
  return headers;
}

/** Fields that must not arrive after the body: they would have framed, routed or authenticated it (RFC 9110 §6.5.1). */
const NOT_IN_TRAILERS = new Set([
  "content-length",
  "transfer-encoding",
  "host",
  "trailer",
  "content-encoding",
  "content-type",
  "content-range",
  "set-cookie",
  "authorization",
  "cache-control",
  "connection",
]);

function readTrailers(raw: readonly (Buffer | string)[]): HeaderList {
  const trailers = new HeaderList(raw.map((part) => (typeof part === "string" ? part : part.toString("latin1"))));
  trailers.filter((name) => !NOT_IN_TRAILERS.has(name));
  return trailers;
}

function toRecord(raw: Buffer[]): Record<string, string | string[]> {
  const record: Record<string, string | string[]> = Object.create(null);
  new HeaderList(raw.map((part) => part.toString("latin1"))).forEach((_name, value, lower) => {
    const before = record[lower];
    record[lower] = before === undefined ? value : [before, value].flat();
  });
  return record;
}

const codeOf = (error: Error): unknown => (error as NodeJS.ErrnoException).code;

class UpstreamBody extends Readable {
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

import type { Dispatcher } from "undici";
import { WHOLE_BODY_BYTES } from "../core/body.ts";
import type { Body, GatewayResponse } from "../core/exchange.ts";
import { HeaderList } from "../core/headers.ts";
import type { Asking, UnderWay } from "./asking.ts";
import { NOT_IN_TRAILERS, stripHopByHop } from "./hop-by-hop.ts";
import { UpstreamBody } from "./http1/upstream-body.ts";
import { malformed, UpstreamError } from "./upstream-error.ts";

/** Interim answers that one answer may be preceded by; more is a flood. ATTACKS 14. */
const MAX_INTERIM = 16;

/**
 * Turns undici's callbacks into a GatewayResponse: small answers of known length whole, the rest a stream with
 * back-pressure.
 */
export class Http2Answer implements Dispatcher.DispatchHandler, UnderWay {
  private readonly asking: Asking;
  private received = 0;
  private status = 0;
  private breakOff: ((error?: Error) => void) | undefined = undefined;
  private response: GatewayResponse | undefined = undefined;
  private headers: HeaderList | undefined = undefined;
  private expected = -1;
  private interim = 0;
  private whole: Buffer | undefined = undefined;
  private parts: Buffer[] | undefined = undefined;
  private stream: UpstreamBody | undefined = undefined;
  private cancelled: Error | undefined = undefined;

  constructor(asking: Asking) {
    this.asking = asking;
  }

  abort(error: Error): void {
    if (this.breakOff === undefined) this.cancelled = error;
    else this.breakOff(error);
  }

  onConnect(abort: (error?: Error) => void): void {
    this.breakOff = abort;
    if (this.cancelled !== undefined) abort(this.cancelled);
  }

  onHeaders(status: number, raw: Buffer[], resume: () => void): boolean {
    if (status < 200) {
      this.interim++;
      if (this.interim > MAX_INTERIM) throw malformed("more interim answers than one request can have");
      this.asking.onInformation(status, readFields(raw));
      return true;
    }
    const isChunked = hasCoding(raw);
    const headers = readFields(raw);
    this.status = status;
    this.headers = headers;
    this.expected = this.lengthOf(status, headers);
    if (this.expected >= 0 && this.expected <= WHOLE_BODY_BYTES) return true;
    this.stream = new UpstreamBody({ resume, abort: (error) => this.abort(error) });
    // It ends with its connection, or with its stream, which undici takes for ended when it was reset.
    this.answer(this.stream, !(this.expected >= 0) && !isChunked);
    return true;
  }

  onData(chunk: Buffer): boolean {
    this.received += chunk.length;
    if (this.stream !== undefined) return this.stream.accept(chunk);
    if (this.parts !== undefined) this.parts.push(chunk);
    else if (this.whole === undefined) this.whole = chunk;
    else this.parts = [this.whole, chunk];
    return true;
  }

  onComplete(rawTrailers: Buffer[] | string[] | null): void {
    // undici takes a stream that was reset for one that has ended.
    if (this.expected >= 0 && this.received !== this.expected) {
      this.onError(new UpstreamError("broken", "the answer broke off"));
      return;
    }
    if (this.stream !== undefined) {
      if (rawTrailers !== null && rawTrailers.length > 0 && this.response !== undefined) {
        this.response.trailers = readTrailers(rawTrailers);
      }
      this.stream.complete();
    } else {
      this.answer(this.parts === undefined ? (this.whole ?? null) : Buffer.concat(this.parts));
    }
    this.asking.onEnd(undefined);
  }

  onError(error: Error): void {
    // A 304 may tell the length of what it spares us (RFC 9110 §8.6); undici then misses that body.
    if (this.status === 304 && this.stream === undefined && codeOf(error) === "UND_ERR_RES_CONTENT_LENGTH_MISMATCH") {
      this.answer(null);
      this.asking.onEnd(undefined);
      return;
    }
    if (this.stream === undefined) {
      this.asking.onFail(error);
      return;
    }
    this.stream.destroy(error);
    this.asking.onEnd(error);
  }

  private answer(body: Body, isUntilClose = false): void {
    const headers = this.headers as HeaderList;
    this.response = { status: this.status, headers, body, trailers: undefined, isUntilClose };
    this.asking.onAnswer(this.response);
  }

  private lengthOf(status: number, headers: HeaderList): number {
    if (this.asking.method === "HEAD" || status === 204 || status === 304) return 0;
    const length = headers.get("content-length");
    return length === undefined ? -1 : Number(length);
  }
}

function hasCoding(raw: readonly Buffer[]): boolean {
  for (let i = 0; i < raw.length; i += 2) {
    if ((raw[i] as Buffer).toString("latin1").toLowerCase() === "transfer-encoding") return true;
  }
  return false;
}

function readFields(raw: Buffer[]): HeaderList {
  const flat = new Array<string>(raw.length);
  for (let i = 0; i < raw.length; i++) flat[i] = (raw[i] as Buffer).toString("latin1");
  const headers = new HeaderList(flat);
  stripHopByHop(headers);
  return headers;
}

function readTrailers(raw: readonly (Buffer | string)[]): HeaderList {
  const trailers = new HeaderList(raw.map((part) => (typeof part === "string" ? part : part.toString("latin1"))));
  trailers.filter((name) => !NOT_IN_TRAILERS.has(name));
  return trailers;
}

const codeOf = (error: Error): unknown => (error as NodeJS.ErrnoException).code;

import { WHOLE_BODY_BYTES } from "../../core/body.ts";
import type { GatewayResponse } from "../../core/exchange.ts";
import type { HeaderList } from "../../core/headers.ts";
import type { Asking } from "../asking.ts";
import { type BodySource, UpstreamBody } from "../upstream-body.ts";
import { malformed } from "../upstream-error.ts";

/** Makes the answer to one request: a small one of known length whole, the rest a stream with back-pressure. */
export class Answer {
  hasBegun = false;
  trailers: HeaderList | undefined = undefined;
  private readonly asking: Asking;
  private readonly source: BodySource;
  private status = 0;
  private headers: HeaderList | undefined = undefined;
  private response: GatewayResponse | undefined = undefined;
  private stream: UpstreamBody | undefined = undefined;
  private readonly parts: Buffer[] = [];

  constructor(asking: Asking, source: BodySource) {
    this.asking = asking;
    this.source = source;
  }

  /** @returns whether its length is known from it */
  setHead(status: number, headers: HeaderList): boolean {
    this.hasBegun = true;
    this.status = status;
    this.headers = headers;
    return this.toldLength() !== undefined;
  }

  /** @param bytes of the body, where all of it is there already */
  begin(bytes: number | undefined): void {
    const length = bytes ?? this.toldLength();
    if (Number.isNaN(length)) this.source.abort(malformed("Content-Length is not a number of bytes"));
    else if (length === undefined || length > WHOLE_BODY_BYTES) this.open();
  }

  /** @returns false when that is enough for now */
  take(chunk: Buffer): boolean {
    if (this.stream !== undefined) return this.stream.accept(chunk);
    this.parts.push(chunk);
    return true;
  }

  finish(): void {
    const { trailers, parts } = this;
    // They cannot follow a body that is whole.
    if (this.stream === undefined && trailers !== undefined && trailers.size > 0) {
      const stream = this.open();
      for (const part of parts) stream.accept(part);
    }
    const { stream } = this;
    if (stream !== undefined) {
      if (this.response !== undefined) this.response.trailers = trailers;
      stream.complete();
      return;
    }
    const body = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    if (this.toldLength() === undefined) this.headers?.append("Content-Length", String(body.length));
    this.answer(body.length === 0 ? null : body);
  }

  fail(error: Error): void {
    const { stream } = this;
    if (stream === undefined) {
      this.asking.onFail(error);
      return;
    }
    stream.destroy(error);
    this.asking.onEnd(error);
  }

  private open(): UpstreamBody {
    const stream = new UpstreamBody(this.source);
    this.stream = stream;
    this.answer(stream);
    return stream;
  }

  private answer(body: GatewayResponse["body"]): void {
    const headers = this.headers as HeaderList;
    this.response = { status: this.status, headers, body, trailers: undefined, isUntilClose: false };
    this.asking.onAnswer(this.response);
  }

  /** @returns undefined where it is not told, NaN where it is none */
  private toldLength(): number | undefined {
    if (this.asking.method === "HEAD" || this.status === 204 || this.status === 304) return 0;
    const told = this.headers?.get("content-length");
    return told === undefined ? undefined : /^\d{1,15}$/.test(told) ? Number(told) : Number.NaN;
  }
}

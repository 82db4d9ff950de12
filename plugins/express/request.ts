import { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import express from "express";
import { defineExchangeKey, type Exchange, findMediaType, isJson, isStream, readWhole } from "../../src/plugin.ts";

interface FieldTaker {
  _addHeaderLines(flat: string[], count: number): void;
}

/** Lends `req` and `res` their settings; it never serves. */
export const app = express();

/**
 * `req` as Express gives it, over what the gateway knows: the fields that were let in, not all that were sent. One for
 * each exchange, so that what a session adds is there for who asks for it next.
 */
export class ExpressRequest extends IncomingMessage {
  readonly exchange: Exchange;
  readonly originalUrl: string;
  readonly baseUrl = "";
  readonly params: Readonly<Record<string, string>>;
  readonly locals: Record<string, unknown> = {};
  private reading: Promise<void> | undefined = undefined;
  private parsed: { readonly body: unknown } | undefined = undefined;
  private sent: Readonly<Record<string, unknown>>;

  constructor(exchange: Exchange) {
    const { request } = exchange;
    super((exchange.incoming?.socket ?? undefined) as Socket);
    this.exchange = exchange;
    this.method = request.method;
    this.originalUrl = request.query === "" ? request.path : `${request.path}?${request.query}`;
    this.url = this.originalUrl;
    this.httpVersion = request.httpVersion;
    const [major = "1", minor = "1"] = request.httpVersion.split(".");
    this.httpVersionMajor = Number(major);
    this.httpVersionMinor = Number(minor);
    const fields = [...request.headers.toFlat()];
    if (!request.headers.has("host")) fields.push("Host", request.authority);
    // What a body of unknown length is known by.
    if (request.body !== null && !request.headers.has("content-length")) fields.push("Transfer-Encoding", "chunked");
    // As Node's parser hands them over: `headers` and `headersDistinct` are made of them when asked for.
    (this as unknown as FieldTaker)._addHeaderLines(fields, fields.length);
    this.params = exchange.pathParameters;
    this.complete = true;
    this.sent = { ...this.headers };
  }

  /** By the proxies that the gateway trusts. */
  get ip(): string {
    return this.exchange.client.address;
  }
  get protocol(): string {
    return this.exchange.request.scheme;
  }

  /** Parsed where it is JSON and has been read already, as it has once it was validated. */
  get body(): unknown {
    if (this.parsed !== undefined) return this.parsed.body;
    const { body, headers } = this.exchange.request;
    if (!Buffer.isBuffer(body) || headers.has("content-encoding")) return undefined;
    const type = findMediaType(headers.get("content-type") ?? "");
    if (type === undefined || !isJson(type)) return undefined;
    try {
      this.parsed = { body: JSON.parse(body.toString()) };
    } catch {
      this.parsed = { body: undefined };
    }
    return this.parsed.body;
  }
  set body(body: unknown) {
    this.parsed = { body };
  }

  /** Whoever reads it first has all of it kept for the service. */
  override _read(): void {
    if (this.reading !== undefined) return;
    this.reading = this.readBody();
    // Told by the stream's own error, where nobody passes it on.
    this.reading.catch(() => {});
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    callback(error);
  }

  /** Takes over what a middleware changed for the service: its fields. */
  async passOn(): Promise<void> {
    await this.reading;
    const { headers } = this.exchange.request;
    for (const name of Object.keys(this.sent)) if (this.headers[name] === undefined) headers.delete(name);
    for (const [name, value] of Object.entries(this.headers)) {
      if (value !== undefined && value !== this.sent[name]) headers.set(name, [value].flat().join(", "));
    }
    this.sent = { ...this.headers };
  }

  private async readBody(): Promise<void> {
    const { request } = this.exchange;
    try {
      // What comes in is held to the gateway's limits where it comes in.
      if (isStream(request.body)) {
        request.body = request.body.readableDidRead ? null : await readWhole(request.body, Number.POSITIVE_INFINITY);
      }
      if (request.body !== null && request.body.length > 0) this.push(request.body);
      this.push(null);
    } catch (error) {
      this.destroy(error as Error);
      throw error;
    }
  }
}
Object.setPrototypeOf(ExpressRequest.prototype, app.request);

const REQUEST = defineExchangeKey<ExpressRequest>("express");

export function findRequest(exchange: Exchange): ExpressRequest {
  let request = exchange.get(REQUEST);
  if (request === undefined) {
    request = new ExpressRequest(exchange);
    exchange.set(REQUEST, request);
  }
  return request;
}

import { type OutgoingHttpHeader, type OutgoingHttpHeaders, ServerResponse } from "node:http";
import { PassThrough } from "node:stream";
import { type GatewayResponse, HeaderList, isStream } from "../../src/plugin.ts";
import { app, type ExpressRequest } from "./request.ts";

type Callback = (error?: Error | null) => void;
type Fields = OutgoingHttpHeaders | OutgoingHttpHeader[];

/** Fields of which each writer adds its own. */
const JOINED = new Set(["set-cookie", "vary"]);

/**
 * `res` as Express gives it, whose bytes end in an answer of the gateway instead of a socket. A real `ServerResponse`, so
 * that what patches `writeHead`, `write` or `end` (on-headers, express-session, compression) is called as ever.
 */
export class ExpressResponse extends ServerResponse<ExpressRequest> {
  readonly locals: Record<string, unknown>;
  /** What it became once its first byte or its end was written. */
  answer: GatewayResponse | undefined = undefined;
  /** Called once: with the answer, or why there is none. */
  settle: (error: unknown, answer?: GatewayResponse) => void = () => {};
  private stream: PassThrough | undefined = undefined;
  private upstream: GatewayResponse | undefined = undefined;
  private readonly removed = new Set<string>();

  constructor(request: ExpressRequest) {
    super(request);
    this.locals = request.locals;
    const { incoming, outgoing } = request.exchange;
    if (incoming !== undefined) Object.assign(this, { socket: incoming.socket });
    // Several middlewares may each wait for the end of the answer.
    outgoing?.setMaxListeners(0);
    outgoing?.once("finish", () => this.emit("finish"));
    outgoing?.once("close", () => this.emit("close"));
  }

  /** Shows a middleware the answer of the service, to be changed. */
  show(response: GatewayResponse): void {
    this.upstream = response;
    this.statusCode = response.status;
    response.headers.forEach((name, value) => {
      this.appendHeader(name, value);
    });
    this.removed.clear();
  }

  /** Sends what the service answered through all that wants to see it; fields that stand already stay. */
  play(response: GatewayResponse): void {
    if (this.upstream === undefined) {
      this.upstream = response;
      this.statusCode = response.status;
      const own = new Set(this.getHeaderNames());
      response.headers.forEach((name, value, lower) => {
        if (JOINED.has(lower) || !(own.has(lower) || this.removed.has(lower))) this.appendHeader(name, value);
      });
    }
    const { body } = response;
    if (!isStream(body)) {
      if (body === null) this.end();
      else this.end(body);
      return;
    }
    body.once("error", (error) => this.destroy(error));
    this.flushHeaders();
    this.stream?.once("close", () => body.destroy());
    body.pipe(this);
  }

  override removeHeader(name: string): void {
    this.removed.add(name.toLowerCase());
    super.removeHeader(name);
  }

  override writeHead(status: number, reason?: string | Fields, fields?: Fields): this {
    if (this.headersSent) throw new Error("the header section has been written already");
    this.statusCode = status;
    const given = typeof reason === "string" ? fields : reason;
    if (Array.isArray(given)) {
      const flat = given.flat() as string[];
      for (let i = 0; i + 1 < flat.length; i += 2) this.setHeader(flat[i] as string, flat[i + 1] as string);
    } else {
      for (const [name, value] of Object.entries(given ?? {})) if (value !== undefined) this.setHeader(name, value);
    }
    // What Node takes `headersSent` from.
    Object.assign(this, { _header: "captured" });
    return this;
  }

  override flushHeaders(): void {
    if (!this.headersSent) this.writeImplicitHead();
    this.open();
  }

  override write(chunk: unknown, encoding?: BufferEncoding | Callback, callback?: Callback): boolean {
    const [coding, done] = typeof encoding === "function" ? [undefined, encoding] : [encoding, callback];
    if (!this.headersSent) this.writeImplicitHead();
    if (!this.hasBody) {
      done?.();
      return true;
    }
    return this.open().write(toBytes(chunk, coding), done);
  }

  override end(chunk?: unknown, encoding?: BufferEncoding | Callback, callback?: Callback): this {
    if (this.finished) return this;
    const last = typeof chunk === "function" || chunk === undefined || chunk === null ? undefined : chunk;
    const done = [chunk, encoding, callback].find((given) => typeof given === "function") as Callback | undefined;
    if (done !== undefined) this.once("finish", done);
    if (!this.headersSent) this.writeImplicitHead();
    this.finished = true;
    const bytes = last === undefined ? undefined : toBytes(last, typeof encoding === "string" ? encoding : undefined);
    if (this.stream === undefined) this.finish(bytes ?? null);
    else if (this.hasBody && bytes !== undefined) this.stream.end(bytes);
    else this.stream.end();
    if (this.req.exchange.outgoing === undefined) setImmediate(() => this.emit("finish"));
    return this;
  }

  override destroy(error?: Error): this {
    this.settle(error ?? new Error("the middleware broke its answer off"));
    this.stream?.destroy(error);
    return this;
  }

  private get hasBody(): boolean {
    return this.req.method !== "HEAD" && this.statusCode >= 200 && this.statusCode !== 204 && this.statusCode !== 304;
  }

  /** By way of what may have been put over `writeHead`. */
  private writeImplicitHead(): void {
    this.writeHead(this.statusCode);
  }

  private open(): PassThrough {
    if (this.stream === undefined) {
      this.stream = new PassThrough();
      this.stream.on("drain", () => this.emit("drain"));
      this.finish(this.stream);
    }
    return this.stream;
  }

  private finish(body: GatewayResponse["body"]): void {
    const headers = new HeaderList();
    for (const name of (this as unknown as { getRawHeaderNames(): string[] }).getRawHeaderNames()) {
      for (const value of [this.getHeader(name)].flat()) headers.append(name, String(value));
    }
    if (this.hasBody && !isStream(body)) headers.set("Content-Length", String(body?.length ?? 0));
    // The same object where there is one: its trailers come later.
    const answer = this.upstream ?? { status: 0, headers, body: null };
    answer.status = this.statusCode;
    answer.headers = headers;
    answer.body = this.hasBody ? body : null;
    this.answer = answer;
    this.settle(undefined, answer);
  }
}
Object.setPrototypeOf(ExpressResponse.prototype, app.response);

const toBytes = (chunk: unknown, encoding: BufferEncoding | undefined): Buffer =>
  typeof chunk === "string" ? Buffer.from(chunk, encoding) : Buffer.from(chunk as Uint8Array);

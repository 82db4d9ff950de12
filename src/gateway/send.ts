import type { ServerResponse } from "node:http";
import { pipeline, type Readable } from "node:stream";
import { isStream } from "../core/body.ts";
import type { Exchange, GatewayResponse } from "../core/exchange.ts";
import type { HeaderList } from "../core/headers.ts";
import { UpstreamBody } from "../forwarding/upstream-body.ts";
import { isHttp2, sendHttp2 } from "./http2.ts";
import { MAX_JOINED_BYTES } from "./joined-body.ts";
import { sendPrepared } from "./send-prepared.ts";
import { writeLines } from "./write-lines.ts";

/**
 * Writes an answer to its client.
 * @param isMounted middleware that ran before, as in an Express app, may have set fields of its own: those stay
 * @throws when the header fields cannot be written, before anything is
 */
export function send(
  outgoing: ServerResponse,
  exchange: Exchange,
  response: GatewayResponse,
  isMounted: boolean,
): void {
  frame(response);
  const { body } = response;
  if (outgoing.destroyed || outgoing.headersSent) {
    if (isStream(body)) body.destroy();
    return;
  }
  if (isHttp2(outgoing.req)) {
    if (body !== null && !isStream(body)) tellLength(response.headers, body);
    sendHttp2(exchange, response);
    return;
  }
  if (isStream(body)) {
    sendStream(outgoing, response, body, isMounted);
    return;
  }
  if (!isMounted && sendPrepared(outgoing, response)) return;
  if (body !== null) tellLength(response.headers, body);
  if (response.headers.has("trailer")) response.headers.delete("trailer");
  writeHead(outgoing, response, isMounted);
  const { status } = response;
  // As the client said it: a plugin may ask the service by another method, and a body after HEAD is the next answer.
  if (body === null || outgoing.req.method === "HEAD" || status === 204 || status === 304) outgoing.end();
  else if (isMounted || !response.headers.has("content-length")) outgoing.end(body);
  else endInOneWrite(outgoing, body);
}

/**
 * How an answer is framed is the gateway's own to say, whatever a plugin or a middleware has written: a second word on it
 * would let the client take the rest for its next answer.
 */
export function frame(response: GatewayResponse): void {
  const { status, headers, body } = response;
  if (headers.has("transfer-encoding")) headers.delete("Transfer-Encoding");
  if (status !== 204 && status !== 304) return;
  if (isStream(body)) body.destroy();
  if (body !== null) response.body = null;
  if (status === 204 && headers.has("content-length")) headers.delete("Content-Length");
}

/**
 * A plugin that gives an answer another body may forget its length: the client would wait for what does not come, or take
 * the rest for its next answer.
 */
export function tellLength(headers: HeaderList, body: Buffer): void {
  const told = headers.get("content-length");
  if (told !== undefined && told !== String(body.length)) headers.set("Content-Length", String(body.length));
}

/**
 * `end(body)` makes two writes of it, joined by a `writev` that costs twice a plain write: 5 µs a request. As a part of
 * the header section the body leaves in one. Where Node should no longer keep that section here, it goes the usual way.
 */
function endInOneWrite(outgoing: ServerResponse, body: Buffer): void {
  const known = outgoing as unknown as { _header: unknown };
  if (typeof known._header !== "string" || body.length > MAX_JOINED_BYTES) {
    outgoing.end(body);
    return;
  }
  known._header += body.toString("latin1");
  outgoing.end();
}

function sendStream(outgoing: ServerResponse, response: GatewayResponse, body: Readable, isMounted: boolean): void {
  const isChunked = outgoing.req.httpVersion === "1.1" && !response.headers.has("content-length");
  if (!isChunked) response.headers.delete("trailer");
  writeHead(outgoing, response, isMounted);
  // The first event of a stream may be minutes away: its header section is not kept waiting.
  if (body.readableLength === 0) outgoing.flushHeaders();
  if (body instanceof UpstreamBody && body.sendTo(outgoing, response)) return;
  if (isChunked) {
    body.once("end", () => {
      const { trailers } = response;
      if (trailers !== undefined && trailers.size > 0) outgoing.addTrailers([...trailers]);
    });
  }
  const told = response.headers.get("content-length");
  if (told !== undefined && outgoing.req.method !== "HEAD") holdToLength(body, outgoing, Number(told));
  // A body that breaks off destroys the connection, so that the client sees that its message is not whole.
  pipeline(body, outgoing, ignore);
}

const ignore = (): void => {};

/**
 * Of a stream that a plugin has put in place of the service's, nobody knows the length before its end. One that is longer
 * than was told would go on as the client's next answer, and for the rest of a shorter one the client would wait.
 */
function holdToLength(body: Readable, outgoing: ServerResponse, length: number): void {
  let left = length;
  body.on("data", (chunk: Buffer | string) => {
    left -= Buffer.byteLength(chunk);
    if (left < 0) outgoing.destroy();
  });
  body.once("end", () => {
    if (left > 0) outgoing.destroy();
  });
}

function writeHead(outgoing: ServerResponse, response: GatewayResponse, isMounted: boolean): void {
  if (!isMounted) {
    writeLines(outgoing, response);
    return;
  }
  const seen = new Set<string>();
  response.headers.forEach((name, value, lower) => {
    if (seen.has(lower)) outgoing.appendHeader(name, value);
    else outgoing.setHeader(name, value);
    seen.add(lower);
  });
  outgoing.writeHead(response.status);
}

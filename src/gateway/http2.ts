import type { IncomingMessage } from "node:http";
import type { Http2ServerResponse, OutgoingHttpHeaders } from "node:http2";
import { pipeline } from "node:stream";
import { isStream } from "../core/body.ts";
import type { Exchange, GatewayResponse } from "../core/exchange.ts";

/** True for HTTP/2 itself: text that calls itself HTTP/2.0 is not. */
export const isHttp2 = (incoming: IncomingMessage): boolean => (incoming as { stream?: unknown }).stream !== undefined;

/** Say something of a connection of HTTP/1: another message is malformed that has them (RFC 9113 §8.2.2). */
const OF_HTTP1: ReadonlySet<string> = new Set([
  "connection",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** Writes an answer as HTTP/2: no fields of a hop, names in lower case, the status as a pseudo-field (RFC 9113 §8.3). */
export function sendHttp2(exchange: Exchange, response: GatewayResponse): void {
  const outgoing = exchange.outgoing as unknown as Http2ServerResponse;
  const { stream } = outgoing;
  const { body } = response;
  const headers: OutgoingHttpHeaders = { ":status": response.status };
  response.headers.forEach((_name, value, lower) => {
    if (OF_HTTP1.has(lower)) return;
    const before = headers[lower];
    if (before === undefined) headers[lower] = value;
    else headers[lower] = Array.isArray(before) ? [...before, value] : [String(before), value];
  });
  // Reset by the client meanwhile: there is nobody to answer.
  if (stream.destroyed || stream.closed) {
    if (isStream(body)) body.destroy();
    return;
  }
  const hasNoBody = body === null || outgoing.req.method === "HEAD";
  if (hasNoBody) {
    if (isStream(body)) body.destroy();
    stream.respond(headers, { endStream: true });
    return;
  }
  if (!isStream(body)) {
    stream.respond(headers);
    stream.end(body);
    return;
  }
  const trailers: OutgoingHttpHeaders = Object.create(null);
  stream.respond(headers, { waitForTrailers: true });
  // Sent by Node's own listener, which stands before any of ours.
  body.once("end", () => {
    response.trailers?.forEach((_name, value, lower) => {
      trailers[lower] = joined(trailers[lower], value);
    });
    outgoing.addTrailers(trailers);
  });
  pipeline(body, stream, () => {});
}

const joined = (before: OutgoingHttpHeaders[string], value: string): string =>
  before === undefined ? value : `${before}, ${value}`;

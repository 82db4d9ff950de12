import { isStream } from "../../core/body.ts";
import type { Asking } from "../asking.ts";
import { checkLine, HAS_CONTENT, OWN_FIELDS, streamLength, unsendable } from "../request-line.ts";

const NONE: ReadonlySet<string> = new Set();

/**
 * The request line and header section, ready to be written as latin1.
 * @param ownHost of the instance, for who names no other
 * @throws GatewayError PLUGIN_FAILED when a plugin has put into it what would be another request
 */
export function writeRequestHead(asking: Asking, ownHost: string): string {
  const { method, target, headers, body } = asking;
  const host = checkLine(asking, ownHost);
  const lines = headers.toLines(OWN_FIELDS);
  if (lines === undefined) throw unsendable();
  const connection = asking.takesTrailers
    ? "Connection: keep-alive, TE\r\nTE: trailers\r\n"
    : "Connection: keep-alive\r\n";
  return `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${connection}${lines}${framing(asking, body)}\r\n`;
}

/** The lines after the last chunk. @throws GatewayError PLUGIN_FAILED */
export function writeTrailers({ trailers }: Asking): string {
  if (trailers === undefined) return "";
  const lines = trailers.toLines(NONE);
  if (lines === undefined) throw unsendable();
  return lines;
}

function framing(asking: Asking, body: Asking["body"]): string {
  if (body === null) return HAS_CONTENT.has(asking.method) ? "Content-Length: 0\r\n" : "";
  if (!isStream(body)) return `Content-Length: ${body.length}\r\n`;
  const length = streamLength(asking);
  if (length >= 0) return `Content-Length: ${length}\r\n`;
  const announced = asking.headers.getJoined("trailer");
  return announced === undefined
    ? "Transfer-Encoding: chunked\r\n"
    : `Trailer: ${announced}\r\nTransfer-Encoding: chunked\r\n`;
}

import { isStream } from "../../core/body.ts";
import { GatewayError } from "../../core/errors.ts";
import type { Asking } from "../asking.ts";

/** Of this hop, or about how the body is framed: the client writes them itself. */
const OWN = new Set([
  "host",
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "content-length",
  "upgrade",
  "expect",
  "te",
  "trailer",
]);
/** Methods whose requests are expected to have a body, so that "none" is said aloud (RFC 9110 §8.6). */
const HAS_CONTENT = new Set(["POST", "PUT", "PATCH", "QUERY"]);
const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const UNSAFE_IN_TARGET = /[^\x21-\xff]/;
const UNSAFE = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * The request line and header section, ready to be written as latin1.
 * @param ownHost of the instance, for who names no other
 * @throws GatewayError PLUGIN_FAILED when a plugin has put into it what would be another request
 */
export function writeRequestHead(asking: Asking, ownHost: string): string {
  const { method, target, headers, body } = asking;
  const host = asking.host ?? headers.get("host") ?? ownHost;
  if (UNSAFE_IN_TARGET.test(target) || !METHOD.test(method) || UNSAFE.test(host)) throw unsendable();
  const lines = headers.toLines(OWN);
  if (lines === undefined) throw unsendable();
  return `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: keep-alive\r\n${lines}${framing(asking, body)}\r\n`;
}

/** Bytes of a streamed body, as its header says; −1 when it does not: then it goes in chunks. */
export function streamLength({ headers }: Asking): number {
  const length = headers.get("content-length");
  return length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : -1;
}

function framing(asking: Asking, body: Asking["body"]): string {
  if (body === null) return HAS_CONTENT.has(asking.method) ? "Content-Length: 0\r\n" : "";
  if (!isStream(body)) return `Content-Length: ${body.length}\r\n`;
  const length = streamLength(asking);
  return length < 0 ? "Transfer-Encoding: chunked\r\n" : `Content-Length: ${length}\r\n`;
}

const unsendable = (): GatewayError =>
  new GatewayError("PLUGIN_FAILED", "a plugin has given the request a method, target or field that cannot be sent");

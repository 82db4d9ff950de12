import { GatewayError } from "../core/errors.ts";
import type { Asking } from "./asking.ts";

/** Of this hop, or about how the body is framed: the client writes them itself. */
export const OWN_FIELDS: ReadonlySet<string> = new Set([
  "host",
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "content-length",
  "upgrade",
  "http2-settings",
  "expect",
  "te",
  "trailer",
]);
/** Methods whose requests are expected to have a body, so that "none" is said aloud (RFC 9110 §8.6). */
export const HAS_CONTENT: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH", "QUERY"]);
const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const UNSAFE_IN_TARGET = /[^\x21-\xff]/;
const UNSAFE = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * @param ownHost of the instance, for who names no other
 * @returns the host that is asked for
 * @throws GatewayError PLUGIN_FAILED when a plugin has put into it what would be another request
 */
export function checkLine({ method, target, headers, host }: Asking, ownHost: string): string {
  const asked = host ?? headers.get("host") ?? ownHost;
  if (UNSAFE_IN_TARGET.test(target) || !METHOD.test(method) || UNSAFE.test(asked)) throw unsendable();
  return asked;
}

/** Bytes of a streamed body, as its header says; −1 when it does not. */
export function streamLength({ headers }: Asking): number {
  const length = headers.get("content-length");
  return length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : -1;
}

export const unsendable = (): GatewayError =>
  new GatewayError("PLUGIN_FAILED", "a plugin has given the request a method, target or field that cannot be sent");

import { GatewayError } from "../core/errors.ts";

/** True for digits only, without a sign, a space or a zero in front: forms that readers take differently. */
export function isDecimal(text: string): boolean {
  if (text.length === 0 || text.length > 16) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return false;
  }
  return text.length === 1 || text.charCodeAt(0) !== 0x30;
}

/** `host`, `host:port`, `[v6]:port` and nothing else: no list, no user, no path, no spaces (RFC 9112 §3.2). */
export function isAuthority(text: string): boolean {
  let i = 0;
  if (text.charCodeAt(0) === 0x5b) {
    i = text.indexOf("]") + 1;
    if (i < 4) return false;
    for (let j = 1; j < i - 1; j++) if (!isHexOrDotOrColon(text.charCodeAt(j))) return false;
  } else {
    while (i < text.length && isNameCharacter(text.charCodeAt(i))) i++;
    if (i === 0) return false;
  }
  if (i === text.length) return true;
  if (text.charCodeAt(i) !== 0x3a || text.length - i > 6) return false;
  for (i++; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return false;
  }
  return true;
}

const isAlphanumeric = (code: number): boolean =>
  (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a);
const isNameCharacter = (code: number): boolean =>
  isAlphanumeric(code) || code === 0x2d || code === 0x2e || code === 0x5f || code === 0x7e;
const isHexOrDotOrColon = (code: number): boolean =>
  (code >= 0x30 && code <= 0x3a) || code === 0x2e || (code >= 0x61 && code <= 0x66) || (code >= 0x41 && code <= 0x46);

/**
 * The authority that a request asks for, lower case.
 * @throws GatewayError REQUEST_MALFORMED for what is missing or no host and port
 */
export function findAuthority(host: string | undefined, httpVersion: string): string {
  if (host === undefined) {
    if (httpVersion === "1.0") return "";
    throw new GatewayError("REQUEST_MALFORMED", "Host is missing");
  }
  if (!isAuthority(host)) throw new GatewayError("REQUEST_MALFORMED", "Host is not a host name and port");
  return host.toLowerCase();
}

/** What of a request target goes further: the path and the query, apart. */
export interface Target {
  readonly path: string;
  readonly query: string;
}

/**
 * Takes a request target apart.
 * @param authority of the Host field: a target in absolute form must name the same one, as readers differ over which wins
 * @returns undefined for `*`
 * @throws GatewayError REQUEST_MALFORMED
 */
export function readTarget(target: string, method: string, authority: string): Target | undefined {
  if (target.charCodeAt(0) !== 0x2f) {
    if (target === "*" && method === "OPTIONS") return undefined;
    return readTarget(fromAbsolute(target, authority), method, authority);
  }
  let question = -1;
  for (let i = 0; i < target.length; i++) {
    const code = target.charCodeAt(i);
    if (code === 0x3f && question < 0) question = i;
    if (code === 0x23 || code === 0x5c || code <= 0x20 || code >= 0x7f) {
      throw new GatewayError("REQUEST_MALFORMED", "the request target has a character that must be percent-encoded");
    }
  }
  if (question < 0) return { path: target, query: "" };
  return { path: target.slice(0, question), query: target.slice(question + 1) };
}

const ABSOLUTE = /^https?:\/\/([^/?#]*)([/?].*)?$/i;

function fromAbsolute(target: string, authority: string): string {
  const match = ABSOLUTE.exec(target);
  if (match === null) throw new GatewayError("REQUEST_MALFORMED", "the request target is no path");
  if ((match[1] as string).toLowerCase() !== authority) {
    throw new GatewayError("REQUEST_MALFORMED", "the request target and Host name different hosts");
  }
  const rest = match[2] ?? "/";
  return rest.startsWith("?") ? `/${rest}` : rest;
}

import { GatewayError } from "../core/errors.ts";
import { HeaderList } from "../core/headers.ts";
import { findAuthority, isDecimal } from "./authority.ts";

/** What a request's header section means to the gateway, and the fields that go further. */
export interface RequestHead {
  /** Without the fields of this hop and without what only the gateway may say. */
  readonly headers: HeaderList;
  /** Host and port that are asked for, lower case; empty for HTTP/1.0 without Host. */
  readonly authority: string;
  /** −1: of unknown length, in chunks. 0: no body. */
  readonly bodyBytes: number;
  readonly expectsContinue: boolean;
  /** The protocol that `Upgrade` asks for, lower case. */
  readonly upgrade: string | undefined;
  /** `X-Forwarded-*`, `Forwarded` as a trusted proxy sent them, by lower-cased name. */
  readonly forwarded: ReadonlyMap<string, string> | undefined;
  /** Name, value, name, value … of what is dropped unless the spec declares it: none of `headers` is among them. */
  readonly withheld: readonly string[] | undefined;
  /** `TE: trailers`; over HTTP/1.1 only where `Connection` names it, as it must (RFC 9110 §10.1.4). */
  readonly takesTrailers: boolean;
}

export interface HeadRules {
  readonly maxHeaders: number;
  /** A proxy in front whose word about the client counts. */
  readonly isTrusted: boolean;
  /** This gateway's name in `Via`. */
  readonly pseudonym: string;
}

/** What becomes of a field; the others pass. */
const HOP = 1;
const HOST = 2;
const LENGTH = 3;
const CODING = 4;
const TYPE = 5;
const EXPECT = 6;
const CONNECTION = 7;
const VIA = 8;
const UPGRADE = 9;
const TE = 10;
const FORWARDED = 11;
const IDENTITY = 12;
const AUTHORITY = 13;
const OVERRIDE = 14;

const MEANINGS: ReadonlyMap<string, number> = new Map([
  [":authority", AUTHORITY],
  [":method", HOP],
  [":path", HOP],
  [":scheme", HOP],
  ["connection", CONNECTION],
  ["keep-alive", HOP],
  ["proxy-connection", HOP],
  ["proxy-authenticate", HOP],
  ["proxy-authorization", HOP],
  ["http2-settings", HOP],
  ["te", TE],
  ["upgrade", UPGRADE],
  ["host", HOST],
  ["content-length", LENGTH],
  ["transfer-encoding", CODING],
  ["content-type", TYPE],
  ["expect", EXPECT],
  ["via", VIA],
  ["forwarded", FORWARDED],
  ["x-forwarded-for", FORWARDED],
  ["x-forwarded-host", FORWARDED],
  ["x-forwarded-proto", FORWARDED],
  // What services are known to believe: who the caller is, or that the request is another one. ATTACKS 17.
  ["x-real-ip", IDENTITY],
  ["x-client-ip", IDENTITY],
  ["x-cluster-client-ip", IDENTITY],
  ["true-client-ip", IDENTITY],
  ["cf-connecting-ip", IDENTITY],
  ["client-ip", IDENTITY],
  ["x-host", IDENTITY],
  ["x-original-url", IDENTITY],
  ["x-rewrite-url", IDENTITY],
  ["x-original-host", IDENTITY],
  ["x-http-method-override", OVERRIDE],
  ["x-http-method", OVERRIDE],
  ["x-method-override", OVERRIDE],
]);

const TE_NAMED = /(?:^|,)[\t ]*te[\t ]*(?:,|$)/i;

const malformed = (detail: string): GatewayError => new GatewayError("REQUEST_MALFORMED", detail);

/**
 * Reads a header section in one pass, stricter than the parser: what two readers could take differently is refused.
 * @param raw name, value, name, value … as `node:http` gives them
 * @param lowerNames the names in lower case, from who has them already
 * @throws GatewayError REQUEST_MALFORMED, HEADERS_TOO_LARGE, EXPECTATION_FAILED, CODING_UNKNOWN, LOOP_DETECTED
 */
export function readHead(
  raw: readonly string[],
  httpVersion: string,
  rules: HeadRules,
  lowerNames?: readonly string[],
): RequestHead {
  if (raw.length > rules.maxHeaders << 1) {
    throw new GatewayError("HEADERS_TOO_LARGE", `at most ${rules.maxHeaders} header fields are taken`);
  }
  const flat: string[] = [];
  const names: string[] = [];
  let host: string | undefined;
  let authority: string | undefined;
  let length: string | undefined;
  let coding: string | undefined;
  let connection: string | undefined;
  let upgrade: string | undefined;
  let forwarded: Map<string, string> | undefined;
  let withheld: string[] | undefined;
  let expectsContinue = false;
  let takesTrailers = false;
  let hasType = false;

  for (let i = 0; i < raw.length; i += 2) {
    const spelled = raw[i] as string;
    const value = raw[i + 1] as string;
    const name = lowerNames === undefined ? spelled.toLowerCase() : (lowerNames[i >> 1] as string);
    switch (MEANINGS.get(name)) {
      case undefined:
        if (name.charCodeAt(0) === 0x78 && (rules.isTrusted ? isConsumer(name) : isGatewayOnly(name))) continue;
        if (name.includes("_")) {
          refuseFramingTwin(name);
          withheld ??= [];
          withheld.push(spelled, value);
          continue;
        }
        break;
      case OVERRIDE:
        if (rules.isTrusted) break;
        withheld ??= [];
        withheld.push(spelled, value);
        continue;
      case HOP:
        continue;
      case HOST:
        if (host !== undefined) throw malformed("Host stands there twice");
        host = value;
        continue;
      case AUTHORITY:
        authority = value;
        continue;
      case LENGTH:
        if (length !== undefined) throw malformed("Content-Length stands there twice");
        if (!isDecimal(value)) throw malformed("Content-Length is not a decimal number");
        length = value;
        break;
      case CODING:
        if (coding !== undefined) throw malformed("Transfer-Encoding stands there twice");
        coding = value;
        continue;
      case TYPE:
        if (hasType) throw malformed("Content-Type stands there twice");
        hasType = true;
        break;
      case EXPECT:
        if (expectsContinue || value.toLowerCase() !== "100-continue") {
          throw new GatewayError("EXPECTATION_FAILED", "only 100-continue is known");
        }
        expectsContinue = true;
        continue;
      case CONNECTION:
        connection = connection === undefined ? value : `${connection},${value}`;
        continue;
      case VIA:
        if (value.includes(rules.pseudonym)) {
          throw new GatewayError("LOOP_DETECTED", "this gateway is its own upstream, by way of others perhaps");
        }
        break;
      case UPGRADE:
        upgrade = upgrade === undefined ? value.toLowerCase() : `${upgrade}, ${value.toLowerCase()}`;
        continue;
      case TE:
        takesTrailers ||= value.toLowerCase().includes("trailers");
        continue;
      case FORWARDED:
        if (rules.isTrusted) {
          forwarded ??= new Map();
          const before = forwarded.get(name);
          forwarded.set(name, before === undefined ? value : `${before}, ${value}`);
        }
        continue;
      case IDENTITY:
        if (!rules.isTrusted) continue;
        break;
    }
    flat.push(spelled, value);
    names.push(name);
  }
  if (authority !== undefined) {
    if (host !== undefined && host !== authority) throw malformed(":authority and Host name different hosts");
    host = authority;
  }
  const bodyBytes = framing(length, coding, httpVersion);
  // Node's parser takes no other characters over HTTP/1; over HTTP/2 it decodes them, and nobody has looked.
  const headers = new HeaderList(flat, names, httpVersion !== "2.0");
  // HTTP/2 may send a cookie in pieces; HTTP/1 knows only one field of it (RFC 9113 §8.2.3).
  if (httpVersion === "2.0" && headers.has("cookie")) headers.set("cookie", headers.getAll("cookie").join("; "));
  if (connection !== undefined && !isPlainConnection(connection)) {
    const named = namedIn(connection);
    headers.filter((name) => !named.has(name));
    withheld = withheld?.filter((_, i, all) => !named.has((all[i & ~1] as string).toLowerCase()));
  }
  return {
    headers,
    authority: findAuthority(host, httpVersion),
    bodyBytes,
    expectsContinue: expectsContinue && httpVersion !== "1.0",
    upgrade,
    forwarded,
    withheld,
    takesTrailers: takesTrailers && (httpVersion === "2.0" || (connection !== undefined && TE_NAMED.test(connection))),
  };
}

/** @returns the body's length, −1 when it comes in chunks */
function framing(length: string | undefined, coding: string | undefined, httpVersion: string): number {
  if (coding === undefined) {
    if (length === undefined) return 0;
    const bytes = Number(length);
    if (!Number.isSafeInteger(bytes)) throw malformed("Content-Length is too large to be true");
    return bytes;
  }
  // Two lengths, or one that only some readers know: the beginning of every request smuggled (RFC 9112 §6.3, §11.2).
  if (length !== undefined) throw malformed("Content-Length and Transfer-Encoding stand there together");
  if (httpVersion !== "1.1") throw malformed("Transfer-Encoding needs HTTP/1.1");
  if (coding.toLowerCase() !== "chunked") {
    throw new GatewayError("CODING_UNKNOWN", "of the transfer codings only chunked is implemented");
  }
  return -1;
}

/** Who the consumer is, no proxy in front may say either. */
const isConsumer = (name: string): boolean => name.startsWith("x-consumer-");

/** `X-Forwarded-…` beyond the three that are understood, and who the consumer is: only the gateway may say. */
const isGatewayOnly = (name: string): boolean =>
  name.startsWith("x-forwarded-") || isConsumer(name) || name.startsWith("x-authenticated-");

/** Whether a field is dropped from a request whose operation does not declare it, and passes otherwise. @param name lower case */
export function isWithheld(name: string): boolean {
  if (MEANINGS.get(name) === OVERRIDE) return true;
  const twin = name.replaceAll("_", "-");
  return twin !== name && !MEANINGS.has(twin) && !isGatewayOnly(twin);
}

/** Whether a field means nothing to a gateway, and none of what only a gateway may say. @param name lower case */
export const isOrdinaryField = (name: string): boolean =>
  !MEANINGS.has(name) && !isGatewayOnly(name) && !name.includes("_");

/** `Content_Length` is read as `Content-Length` by servers that speak CGI. ATTACKS 18. */
function refuseFramingTwin(name: string): void {
  const twin = name.replaceAll("_", "-");
  if (twin === "content-length" || twin === "transfer-encoding" || twin === "host") {
    throw malformed(`a field is named ${name}`);
  }
}

const isPlainConnection = (connection: string): boolean => {
  const lower = connection.toLowerCase();
  return lower === "keep-alive" || lower === "close";
};

/**
 * A client may name any field in Connection: stripped after the plugins ran, that would erase the identity headers
 * they added. So they go before them. RFC 9110 §7.6.1, ATTACKS 16.
 */
function namedIn(connection: string): Set<string> {
  const named = new Set(connection.split(",").map((token) => token.trim().toLowerCase()));
  // Framing is ours: a client that names it would have the message framed anew behind its back.
  named.delete("content-length");
  return named;
}

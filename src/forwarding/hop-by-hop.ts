import type { HeaderList } from "../core/headers.ts";

/** Fields of an answer that speak of one connection only (RFC 9110 §7.6.1). */
export const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-authentication-info",
  "te",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
  "alt-svc",
]);

/** Removes the fields of the upstream's hop, and those that its `Connection` names. */
export function stripHopByHop(headers: HeaderList): void {
  const connection = headers.getJoined("connection");
  const named = connection === undefined || isPlain(connection) ? undefined : namedIn(connection);
  headers.filter((name) => !HOP_BY_HOP.has(name) && !named?.has(name));
}

const isPlain = (connection: string): boolean => connection === "keep-alive" || connection === "close";

function namedIn(connection: string): Set<string> {
  const names = new Set(connection.split(",").map((token) => token.trim().toLowerCase()));
  names.delete("content-length");
  return names;
}

/** Fields that must not arrive after the body: they would have routed or authenticated it (RFC 9110 §6.5.1). */
export const NOT_IN_TRAILERS = new Set([
  "content-length",
  "transfer-encoding",
  "host",
  "trailer",
  "content-encoding",
  "content-type",
  "content-range",
  "set-cookie",
  "authorization",
  "cache-control",
  "connection",
]);

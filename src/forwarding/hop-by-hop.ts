import type { HeaderList } from "../core/headers.ts";

/** Fields that speak of one connection only (RFC 9110 §7.6.1), and what proxies have been tricked with. */
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
]);

/**
 * Removes the fields of this hop and those that `Connection` names.
 * A client may name any field in Connection: stripped after the plugins ran, that would erase the identity headers they
 * added. So this runs before them. RFC 9110 §7.6.1, ATTACKS 16.
 */
export function stripHopByHop(headers: HeaderList): void {
  const connection = headers.getJoined("connection");
  const named = connection === undefined || isPlain(connection) ? undefined : namedIn(connection);
  headers.filter((name) => !HOP_BY_HOP.has(name) && !named?.has(name));
}

const isPlain = (connection: string): boolean => connection === "keep-alive" || connection === "close";

function namedIn(connection: string): Set<string> {
  const names = new Set(connection.split(",").map((token) => token.trim().toLowerCase()));
  // Framing is ours: a client that names these would have the message re-framed behind its back.
  for (const framing of ["content-length", "host"]) names.delete(framing);
  return names;
}

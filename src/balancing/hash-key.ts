import type { Exchange } from "../core/exchange.ts";
import type { HashOptions } from "./options.ts";

/** What is hashed of a request; undefined when the request does not have it. */
export type FindKey = (exchange: Exchange) => string | undefined;

export function createKeyFinder(options: HashOptions): FindKey {
  if (options.header !== undefined) {
    const name = options.header.toLowerCase();
    return (exchange) => exchange.request.headers.get(name);
  }
  const { cookie, query, path } = options;
  if (cookie !== undefined) return (exchange) => findCookie(exchange, cookie);
  if (query !== undefined) return (exchange) => findQuery(exchange.request.query, query);
  if (path !== undefined) return (exchange) => exchange.pathParameters[path];
  if (options.by === "address") return (exchange) => exchange.client.address;
  if (options.by === "path") return (exchange) => exchange.request.path;
  return (exchange) => exchange.consumer?.name ?? exchange.client.address;
}

/** A cookie's value as sent. @param name compared with its case (RFC 6265 §4.2.2) */
export function findCookie(exchange: Exchange, name: string): string | undefined {
  for (const line of exchange.request.headers.getAll("cookie")) {
    for (const pair of line.split(";")) {
      const equals = pair.indexOf("=");
      if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
    }
  }
  return undefined;
}

function findQuery(query: string, name: string): string | undefined {
  return query === "" ? undefined : (new URLSearchParams(query).get(name) ?? undefined);
}

/** 32-bit FNV-1a of a string's UTF-16 units, finished as murmur3 does so that near keys fall far apart. */
export function hash(text: string, seed = 0): number {
  let h = 0x811c9dc5 ^ seed;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

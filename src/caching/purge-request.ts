import { resourceOf } from "./key.ts";
import type { Purge } from "./purges.ts";

const FORMS =
  '{ "key": "/orders/1" }, { "prefix": "/orders" }, { "tag": "…" }, { "operation": "…" } or { "all": true }';

/** The form of a path in which requests come to the cache; undefined for one that never does. */
type Normalise = (path: string) => string | undefined;

/**
 * A purge as an operator writes it. `key` and `prefix` are a URL, for its host, or a path, for every host.
 * @returns a sentence when it is none
 */
export function findPurge(value: unknown, normalise: Normalise): Purge | string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return `send JSON: ${FORMS}`;
  const { soft = false, ...what } = value as Record<string, unknown>;
  if (typeof soft !== "boolean") return "soft is true or false";
  const [named, ...more] = Object.entries(what);
  if (named === undefined || more.length > 0) return `send one of ${FORMS}, and soft if you like`;
  const [kind, text] = named;
  if (kind === "all") return text === true ? { kind, value: "", soft } : "all is true, or left out";
  if (typeof text !== "string" || text === "") return `${kind} is text; send ${FORMS}`;
  if (kind === "tag" || kind === "operation") return { kind, value: text, soft };
  if (kind !== "key" && kind !== "prefix") return `${kind} is unknown; send ${FORMS}`;
  const place = findPlace(text, normalise);
  if (place === undefined) return `${kind} is a path such as /orders, or a URL`;
  return { kind: kind === "key" ? "resource" : "prefix", value: place, soft };
}

function findPlace(text: string, normalise: Normalise): string | undefined {
  const match = /^(?:(https?):\/\/([^/?#]+))?([^?#]*)/i.exec(text) as RegExpExecArray;
  const [, scheme, authority = "", written = ""] = match;
  // As a person reads it, say from a log: what cannot stand in a request is encoded, as their browser would.
  const encoded = String(Buffer.from(written)).replace(/[^\x21-\x7e]+/g, encodeURIComponent);
  const path = normalise(scheme !== undefined && encoded === "" ? "/" : encoded);
  if (path === undefined) return undefined;
  const defaultPort = scheme?.toLowerCase() === "https" ? /:443$/ : /:80$/;
  return resourceOf(authority.toLowerCase().replace(defaultPort, ""), path);
}

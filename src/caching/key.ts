import type { Exchange } from "../core/exchange.ts";
import { FieldGroup } from "../core/field-group.ts";
import type { Operation, SecurityScheme } from "../core/operation.ts";
import { keyHasher } from "./key-hash.ts";
import { isSpread } from "./spread-parameters.ts";

/** What an answer is stored under. Each part may hold anything but a line break; the consumer, which may, is last. */
export interface KeyParts {
  /** `url`, or the parameters that the spec declares. */
  readonly mode: "url" | "declared";
  readonly query: readonly string[] | undefined;
  readonly headers: readonly string[];
  readonly cookies: readonly string[];
}

/** Which parts of a request make the key of an operation. A pure function: `portico explain` shows it. */
export function keyParts(
  operation: Operation,
  mode: "url" | "declared" = "url",
  schemes: ReadonlyMap<string, SecurityScheme> = new Map(),
): KeyParts {
  if (mode === "url") return { mode, query: undefined, headers: [], cookies: [] };
  const named = (place: string): string[] =>
    operation.parameters.filter((parameter) => parameter.in === place).map(({ name }) => name);
  const isOpen = operation.parameters.some((parameter) => isSpread(operation, parameter));
  return {
    mode,
    query: isOpen ? undefined : [...new Set([...named("query"), ...keysInQuery(operation, schemes)])].sort(),
    headers: named("header")
      .map((name) => name.toLowerCase())
      .sort(),
    cookies: named("cookie").sort(),
  };
}

/** A scheme declares its parameter as much as the operation does: without it a service that guards itself lets nobody in. */
const keysInQuery = ({ security }: Operation, schemes: ReadonlyMap<string, SecurityScheme>): string[] =>
  security
    .flat()
    .map(({ scheme }) => schemes.get(scheme))
    .flatMap((scheme) => (scheme?.type === "apiKey" && scheme.in === "query" ? [scheme.parameterName ?? ""] : []));

/** Host and path: what invalidation speaks of. Neither can hold a line break. */
export const resourceOf = (authority: string, path: string): string => `${authority}\n${path}`;

/** The resource of a key that `toKey` has made: its second and third line. */
export function resourceIn(key: string): string {
  const scheme = key.indexOf("\n");
  const path = key.indexOf("\n", key.indexOf("\n", scheme + 1) + 1);
  return key.slice(scheme + 1, path);
}

/**
 * Fields that frameworks let a client say in what host, path or method it meant. No `Vary` ever names them, so they are
 * part of the key: whoever sends one has answers of their own. ATTACKS 25.
 */
const REWRITING = new FieldGroup(
  "forwarded",
  "front-end-https",
  "x-forwarded-path",
  "x-forwarded-port",
  "x-forwarded-prefix",
  "x-forwarded-scheme",
  "x-forwarded-server",
  "x-forwarded-ssl",
  "x-forwarded-uri",
  "x-host",
  "x-http-host-override",
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
  "x-original-host",
  "x-original-uri",
  "x-original-url",
  "x-rewrite-url",
  "x-url-scheme",
);

/** The lines that the last key begins with: most often the next one does, too. */
let last = { scheme: "", authority: "", lines: "\n\n" };

/** @param saidHost the host that a trusted proxy says the client asked for, when it says so */
export function toKey(exchange: Exchange, parts: KeyParts, partition: string, saidHost?: string): string {
  const { request } = exchange;
  const { scheme, authority, path, query } = request;
  if (authority !== last.authority || scheme !== last.scheme) {
    last = { scheme, authority, lines: `${scheme}\n${authority}\n` };
  }
  let key = `${last.lines}${path}\n${query}\n`;
  if (parts.mode === "declared") {
    for (const name of parts.headers) {
      const value = request.headers.getJoined(name);
      key += value === undefined ? `${name}\n` : `${name}=${value}\n`;
    }
    if (parts.cookies.length > 0) key += `${cookieValues(request.headers.getAll("cookie"), parts.cookies)}\n`;
  }
  if (request.headers.hasAnyOf(REWRITING)) {
    for (const name of REWRITING) {
      const value = request.headers.getJoined(name);
      if (value !== undefined) key += `${name}: ${value}\n`;
    }
  }
  if (saidHost !== undefined) key += `x-forwarded-host: ${saidHost}\n`;
  return partition === "" ? key : `${key}\n${partition}`;
}

/** The hash of a key that `toKey` has just made of that request. */
export function hashOfKey(key: string, { path, query }: Exchange["request"]): number {
  const { lines } = last;
  if (key.length !== lines.length + path.length + query.length + 2) return keyHasher.hash(key);
  return keyHasher.hashLines(lines, path, query);
}

/** The query without what the spec does not declare, in its order: that can neither bust the cache nor poison it. */
export function declaredQuery(query: string, names: ReadonlySet<string>): string {
  if (query === "") return query;
  return query
    .split("&")
    .filter((pair) => {
      const equals = pair.indexOf("=");
      const name = decode(equals < 0 ? pair : pair.slice(0, equals));
      const bracket = name.indexOf("[");
      return names.has(name) || (bracket > 0 && names.has(name.slice(0, bracket)));
    })
    .join("&");
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}

function cookieValues(lines: readonly string[], names: readonly string[]): string {
  const pairs = lines.flatMap((line) => line.split(";")).map((pair) => pair.trim());
  return names
    .map((name) => pairs.filter((pair) => pair.split("=", 1)[0]?.trimEnd() === name).join(";"))
    .map((value) => JSON.stringify(value))
    .join(",");
}

import type { Exchange } from "../../src/plugin.ts";

/** @returns undefined when the request has no such value */
type Read = (exchange: Exchange) => string | undefined;
/** Makes a value safe for the place it goes to. @throws GatewayError when it cannot be */
export type Escape = (value: string) => string;

const PLACE = /\$\{([^}]*)\}/g;

/**
 * Text with `${params.id}`, `${query.page}`, `${headers.x-tenant}`, `${claims.sub}`, `${consumer.name}`, `${client.address}`,
 * `${operation.id}` or `${request.method}` in it, each with an optional `:-default`. Read once, when a plugin is set up.
 * @returns a function that gives undefined when a value without a default is missing
 * @throws RangeError naming a place that is not known
 */
export function compileTemplate(text: string, toSafe: Escape): Read {
  const parts: Read[] = [];
  let end = 0;
  for (const match of text.matchAll(PLACE)) {
    if (match.index > end) parts.push(constant(text.slice(end, match.index)));
    parts.push(toPlace(match[1] as string, toSafe));
    end = match.index + match[0].length;
  }
  if (end < text.length || parts.length === 0) parts.push(constant(text.slice(end)));
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  return (exchange) => {
    let filled = "";
    for (const part of parts) {
      const value = part(exchange);
      if (value === undefined) return undefined;
      filled += value;
    }
    return filled;
  };
}

const constant =
  (text: string): Read =>
  () =>
    text;

function toPlace(place: string, toSafe: Escape): Read {
  const [path = "", fallback] = place.split(/:-(.*)/s);
  const read = reader(path);
  return (exchange) => {
    const value = read(exchange);
    return value === undefined ? fallback : toSafe(value);
  };
}

function reader(path: string): Read {
  const [kind, name = ""] = path.split(/\.(.*)/s);
  const lower = name.toLowerCase();
  if (name !== "") {
    if (kind === "params") return (exchange) => exchange.pathParameters[name];
    if (kind === "query") return (exchange) => new URLSearchParams(exchange.request.query).get(name) ?? undefined;
    if (kind === "headers") return (exchange) => exchange.request.headers.getJoined(lower);
    if (kind === "claims") return (exchange) => toText(findMember(exchange.consumer?.claims, name.split(".")));
  }
  const known = FIXED[path];
  if (known !== undefined) return known;
  const forms = ["params.NAME", "query.NAME", "headers.NAME", "claims.NAME", ...Object.keys(FIXED)];
  throw new RangeError(`\${${path}} is not known; write one of ${forms.join(", ")}`);
}

const FIXED: Readonly<Record<string, Read>> = {
  "consumer.name": (exchange) => exchange.consumer?.name,
  "consumer.groups": (exchange) => exchange.consumer?.groups?.join(","),
  "client.address": (exchange) => exchange.client.address,
  "operation.id": (exchange) => exchange.operation?.id,
  "request.id": (exchange) => exchange.id,
  "request.method": (exchange) => exchange.request.method,
  "request.path": (exchange) => exchange.request.path,
  "request.query": (exchange) => exchange.request.query,
  "request.host": (exchange) => exchange.request.authority,
  "request.scheme": (exchange) => exchange.request.scheme,
};

function findMember(value: unknown, names: readonly string[]): unknown {
  for (const name of names) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

function toText(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value)) return value.map(String).join(",");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

import type { Exchange, GatewayResponse } from "../core/exchange.ts";
import type { Operation } from "../core/operation.ts";
import type { Cache } from "./cache.ts";
import { resourceOf } from "./key.ts";

/**
 * The resources that a successful unsafe operation changes, as templates of the spec's own paths: itself, the
 * collection above it, and what its `links` lead to. A pure function: `portico explain` shows it.
 * @returns public paths, each of an operation that can be cached
 */
export function invalidatedBy(operation: Operation, siblings: readonly Operation[]): string[] {
  if (SAFE.has(operation.method)) return [];
  const readable = siblings.filter(({ method }) => method === "GET" || method === "HEAD");
  const own = segments(operation.publicPath);
  const found = new Set<string>();
  for (const { publicPath, id } of readable) {
    const path = segments(publicPath);
    if (isSame(own, path) || isCollectionOf(path, own) || linkTargets(operation).has(id)) found.add(publicPath);
  }
  return [...found].sort();
}

const SAFE = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "QUERY"]);
/** Names of parameters tell nothing: `/orders/{id}` and `/orders/{orderId}` are one resource. */
const segments = (path: string): string[] =>
  path
    .split("/")
    .filter((segment) => segment !== "")
    .map((segment) => segment.replace(/\{[^{}]*\}/g, "{}"));
const isSame = (a: readonly string[], b: readonly string[]): boolean => a.join("/") === b.join("/");

/** `/orders` holds `/orders/{id}`, and with it `/orders/{id}/cancel` and `/orders/{id}`, which that acts on. */
function isCollectionOf(path: readonly string[], own: readonly string[]): boolean {
  if (path.length >= own.length || !path.every((segment, i) => segment === own[i])) return false;
  // From the end of the path up to the nearest collection: /orders/{id}/cancel changes /orders/{id} and /orders.
  const lastParameter = own.findLastIndex((segment) => segment.includes("{"));
  return path.length >= Math.max(1, lastParameter);
}

function linkTargets(operation: Operation): Set<string> {
  const targets = new Set<string>();
  for (const response of operation.responses.values()) {
    for (const link of Object.values(response.links)) {
      const id = (link as { operationId?: unknown } | null)?.operationId;
      if (typeof id === "string") targets.add(id);
    }
  }
  return targets;
}

/** One of those: the first `depth` segments of the request's own path, or a template filled with its parameters. */
export interface Related {
  readonly template: string;
  readonly depth: number | undefined;
}

export function toRelated(operation: Operation, templates: readonly string[]): Related[] {
  const own = segments(operation.publicPath);
  return templates.map((template) => {
    const path = segments(template);
    return { template, depth: path.every((segment, i) => segment === own[i]) ? path.length : undefined };
  });
}

/** Forgets what a successful unsafe request has changed, and what its answer names. RFC 9111 §4.4. */
export async function invalidateAfter(
  cache: Cache,
  exchange: Exchange,
  response: GatewayResponse,
  related: readonly Related[],
  normalise: (path: string) => string | undefined = (path) => path,
): Promise<void> {
  const { request, pathParameters } = exchange;
  const paths = new Set([request.path]);
  const own = request.path.split("/");
  for (const { template, depth } of related) {
    const path = depth === undefined ? fill(template, pathParameters) : own.slice(0, depth + 1).join("/");
    if (path !== undefined) paths.add(path);
  }
  for (const field of ["location", "content-location"]) {
    const named = samePath(response.headers.get(field), exchange);
    const path = named === undefined ? undefined : normalise(named);
    if (path === undefined) continue;
    paths.add(path);
    // A service that is not told what stands before its paths names them without.
    paths.add(prefixOf(exchange) + path);
  }
  await Promise.all(
    [...paths].map((path) =>
      cache.purge({ kind: "resource", value: resourceOf(request.authority, path), soft: false }),
    ),
  );
}

function prefixOf({ operation }: Exchange): string {
  if (operation === undefined || !operation.publicPath.endsWith(operation.path)) return "";
  return operation.publicPath.slice(0, operation.publicPath.length - operation.path.length);
}

/** @returns undefined when a parameter of the template is not one of this request */
function fill(template: string, values: Readonly<Record<string, string>>): string | undefined {
  let isKnown = true;
  const path = template.replace(/\{([^{}]*)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) isKnown = false;
    return encodeURIComponent(value ?? "");
  });
  return isKnown ? path : undefined;
}

/** The path that a URL reference names on this host; another host's is not ours to invalidate. */
function samePath(reference: string | undefined, exchange: Exchange): string | undefined {
  if (reference === undefined) return undefined;
  const { scheme, authority, path } = exchange.request;
  const base = `${scheme}://${authority || "localhost"}`;
  if (!URL.canParse(reference, base + path)) return undefined;
  const url = new URL(reference, base + path);
  return url.host === new URL(base).host ? url.pathname : undefined;
}

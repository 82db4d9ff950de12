import { createHash } from "node:crypto";
import { GatewayError } from "../core/errors.ts";
import type { Exchange } from "../core/exchange.ts";
import type { Operation } from "../core/operation.ts";
import { Pace, type Work } from "../core/pace.ts";
import { toProblem } from "../core/problem.ts";
import { mergeDocuments, type PublishedSpec } from "../openapi/merge-documents.ts";
import { writeJson } from "../openapi/write-json.ts";
import type { Fallback } from "./handle.ts";

const DOCUMENT = "/.well-known/openapi.json";
const METHODS = "GET, HEAD, OPTIONS";
const CATALOG = "/.well-known/api-catalog";
/** RFC 9727 §4.2. */
const CATALOG_TYPE = 'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"';

/**
 * Serves what the gateway says of itself, where no operation has the path: one OpenAPI document of everything behind
 * it, and the catalog of its APIs (RFC 9727).
 * @param portal path of the pages for people; undefined when there are none
 */
export function createWellKnownFallback(specs: () => readonly PublishedSpec[], portal: string | undefined): Fallback {
  // One text for each set of specs: they change with the snapshot, and are let go with it.
  const documents = new WeakMap<readonly PublishedSpec[], Promise<Text>>();
  return (exchange) => {
    const { path, method } = exchange.request;
    if (path !== DOCUMENT && path !== CATALOG) return false;
    if (method !== "GET" && method !== "HEAD") {
      refuse(exchange);
      return true;
    }
    const current = specs();
    if (path === CATALOG) {
      answer(exchange, CATALOG_TYPE, toText(Buffer.from(JSON.stringify(toCatalog(current, exchange, portal)))));
      return true;
    }
    let text = documents.get(current);
    if (text === undefined) {
      text = Pace.besideTraffic().do(writeMerged(current));
      documents.set(current, text);
    }
    text.then(
      (made) => answer(exchange, "application/openapi+json", made),
      (error: Error) => exchange.outgoing?.destroy(error),
    );
    return true;
  };
}

/** Not an operation of any API: what its path takes is said as for one. */
function refuse({ id, request, outgoing }: Exchange): void {
  const error = new GatewayError("METHOD_NOT_ALLOWED", `use ${METHODS}`, { headers: { Allow: METHODS } });
  const { status, headers, body } = toProblem(error, id);
  if (request.method === "OPTIONS") outgoing?.writeHead(204, { Allow: METHODS }).end();
  else outgoing?.writeHead(status, headers.toFlat() as string[]).end(body);
}

interface Text {
  readonly bytes: Buffer;
  readonly etag: string;
}

function* writeMerged(specs: readonly PublishedSpec[]): Work<Text> {
  return toText(yield* writeJson(yield* mergeDocuments(specs)));
}

function toText(bytes: Buffer): Text {
  return { bytes, etag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 27)}"` };
}

/** A document of many megabytes is not sent again to who has it. */
function answer({ outgoing, request }: Exchange, type: string, { bytes, etag }: Text): void {
  const fields = { ETag: etag, "Cache-Control": "no-cache", Link: `<${CATALOG}>; rel="api-catalog"` };
  const known = (request.headers.getJoined("if-none-match") ?? "")
    .split(",")
    .map((tag) => tag.trim().replace(/^W\//, ""));
  if (known.includes(etag) || known.includes("*")) {
    outgoing?.writeHead(304, fields).end();
    return;
  }
  outgoing?.writeHead(200, { "Content-Type": type, "Content-Length": bytes.length, ...fields });
  outgoing?.end(request.method === "HEAD" ? undefined : bytes);
}

function toCatalog(specs: readonly PublishedSpec[], { request }: Exchange, portal: string | undefined): object {
  const asked = `${request.scheme}://${request.authority || "localhost"}`;
  const [, port = ""] = /(:\d+)$/.exec(request.authority) ?? [];
  const linkset = specs.flatMap(({ info, operations, hosts = [] }) => {
    // An API of a host that is a pattern has no one address: it is named where the catalog was asked for.
    const origins = hosts.filter((host) => !host.includes("*")).map((host) => `${request.scheme}://${host}${port}`);
    return basesOf(operations).flatMap((base) =>
      (origins.length === 0 ? [asked] : origins).map((origin) => ({
        anchor: `${origin}${encodeURI(base) || "/"}`,
        "service-desc": [{ href: `${asked}${DOCUMENT}`, type: "application/openapi+json", title: info.title }],
        ...(portal === undefined ? {} : { "service-doc": [{ href: `${asked}${portal}`, type: "text/html" }] }),
      })),
    );
  });
  return { linkset };
}

/** What stands before the paths of a spec; operations with servers of their own may have others than the rest. */
const basesOf = (operations: readonly Operation[]): string[] => {
  const bases = new Set(operations.map(({ bases: [base = ""] }) => base));
  return bases.size === 0 ? [""] : [...bases];
};

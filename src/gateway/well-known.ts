import { GatewayError } from "../core/errors.ts";
import type { Exchange } from "../core/exchange.ts";
import { toProblem } from "../core/problem.ts";
import { mergeDocuments } from "../openapi/merge-documents.ts";
import type { Spec } from "../openapi/operations.ts";
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
export function createWellKnownFallback(specs: () => readonly Spec[], portal: string | undefined): Fallback {
  // One text for each set of specs: they change with the snapshot, and are let go with it.
  const documents = new WeakMap<readonly Spec[], Buffer>();
  return (exchange) => {
    const { path, method } = exchange.request;
    if (path !== DOCUMENT && path !== CATALOG) return false;
    if (method !== "GET" && method !== "HEAD") {
      refuse(exchange);
      return true;
    }
    const current = specs();
    if (path === CATALOG) {
      answer(exchange, CATALOG_TYPE, Buffer.from(JSON.stringify(toCatalog(current, exchange, portal))));
      return true;
    }
    let text = documents.get(current);
    if (text === undefined) {
      text = Buffer.from(JSON.stringify(mergeDocuments(current)));
      documents.set(current, text);
    }
    answer(exchange, "application/openapi+json", text);
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

function answer({ outgoing, request }: Exchange, type: string, body: Buffer): void {
  outgoing?.writeHead(200, {
    "Content-Type": type,
    "Content-Length": body.length,
    "Cache-Control": "no-cache",
    Link: `<${CATALOG}>; rel="api-catalog"`,
  });
  outgoing?.end(request.method === "HEAD" ? undefined : body);
}

function toCatalog(specs: readonly Spec[], { request }: Exchange, portal: string | undefined): object {
  const origin = `${request.scheme}://${request.authority || "localhost"}`;
  const linkset = specs.map(({ info, operations }) => {
    const [first] = operations;
    const prefix = first === undefined ? "" : first.publicPath.slice(0, first.publicPath.length - first.path.length);
    return {
      anchor: `${origin}${encodeURI(prefix) || "/"}`,
      "service-desc": [{ href: `${origin}${DOCUMENT}`, type: "application/openapi+json", title: info.title }],
      ...(portal === undefined ? {} : { "service-doc": [{ href: `${origin}${portal}`, type: "text/html" }] }),
    };
  });
  return { linkset };
}

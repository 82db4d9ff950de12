import { GatewayError } from "../core/errors.ts";
import type { Exchange, GatewayResponse } from "../core/exchange.ts";
import { HeaderList } from "../core/headers.ts";
import { findNormalisedPath } from "../routing/normalise.ts";
import type { Snapshot } from "./snapshot.ts";

/** Takes an exchange that no operation has a path for, and answers it on its own. @returns false to decline */
export type Fallback = (exchange: Exchange) => boolean;

/** Finds the operation of a request and runs its handlers. @throws GatewayError and whatever a handler throws */
export function dispatch(snapshot: Snapshot, exchange: Exchange): Promise<GatewayResponse> {
  const { request } = exchange;
  const path = findNormalisedPath(request.path);
  if (path === undefined) throw new GatewayError("PATH_REFUSED", "send the path without dot segments or backslashes");
  request.path = path;
  const match = snapshot.router.match(request.authority, request.method, path, request);
  if (match.kind === "path-unknown")
    throw new GatewayError("OPERATION_UNKNOWN", "the API descriptions have no such path");
  if (match.kind === "host-unknown") throw new GatewayError("HOST_UNKNOWN", "no route serves this host");
  if (match.kind === "path-ambiguous") throw new GatewayError("PATH_REFUSED", match.remedy);
  if (request.method === "OPTIONS") {
    const preflight = findPreflight(snapshot, exchange, path);
    if (preflight !== undefined) return Promise.resolve(preflight);
    if (takeForward(request.headers) === 0) return Promise.resolve(optionsAnswer(allowedOf(snapshot, exchange, path)));
  }
  if (match.kind === "method-unknown") {
    if (request.method === "OPTIONS") return Promise.resolve(optionsAnswer(match.allow));
    throw new GatewayError("METHOD_NOT_ALLOWED", `use ${match.allow.join(", ")}`, {
      headers: { Allow: match.allow.join(", ") },
    });
  }
  exchange.operation = match.value.operation;
  exchange.pathParameters = match.parameters;
  return match.value.handle(exchange);
}

/**
 * Takes this gateway off `Max-Forwards` of OPTIONS (RFC 9110 §7.6.2); what is no number is left as it is.
 * @returns what the client sent: at 0 this gateway is the last that is asked; undefined without a number
 */
function takeForward(headers: HeaderList): number | undefined {
  const sent = headers.get("max-forwards");
  if (sent === undefined || !MAX_FORWARDS.test(sent)) return undefined;
  const left = Number(sent);
  if (left > 0) headers.set("Max-Forwards", String(left - 1));
  return left;
}

const MAX_FORWARDS = /^\d{1,10}$/;

/** The methods of a path: no operation has the method "". */
function allowedOf(snapshot: Snapshot, exchange: Exchange, path: string): readonly string[] {
  const all = snapshot.router.match(exchange.request.authority, "", path);
  return all.kind === "method-unknown" ? all.allow : [];
}

/** A preflight is answered by the plugin of the operation that the browser wants to call, before anything asks who calls. */
function findPreflight(snapshot: Snapshot, exchange: Exchange, path: string): GatewayResponse | undefined {
  const { authority, headers } = exchange.request;
  const wanted = headers.get("access-control-request-method");
  if (wanted === undefined || !headers.has("origin")) return undefined;
  const allow = allowedOf(snapshot, exchange, path);
  if (allow.length === 0) return undefined;
  for (const method of [wanted, ...allow]) {
    const match = snapshot.router.match(authority, method, path);
    if (match.kind !== "found" || match.value.preflight === undefined) continue;
    exchange.operation = match.value.operation;
    const answer = match.value.preflight(exchange, allow);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

/** What `OPTIONS` says of a path (RFC 9110 §9.3.7); of `*`, without fields, that the gateway is there. */
export const optionsAnswer = (allow: readonly string[]): GatewayResponse => ({
  status: 204,
  headers: new HeaderList(allow.length === 0 ? [] : ["Allow", allow.join(", ")]),
  body: null,
});

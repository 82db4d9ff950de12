import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream";
import type { TLSSocket } from "node:tls";
import { isStream } from "../core/body.ts";
import { channels } from "../core/channels.ts";
import { GatewayError } from "../core/errors.ts";
import { Exchange, type GatewayResponse } from "../core/exchange.ts";
import { HeaderList } from "../core/headers.ts";
import { stripHopByHop } from "../forwarding/hop-by-hop.ts";
import { findNormalisedPath } from "../routing/normalise.ts";
import { toAnswer } from "./answer-errors.ts";
import type { Snapshot } from "./snapshot.ts";

/** Answers one request from a snapshot. Every throw of the pipeline lands here, once. */
export async function handleRequest(snapshot: Snapshot, exchange: Exchange, fallback?: Fallback): Promise<void> {
  let response: GatewayResponse;
  try {
    response = await dispatch(snapshot, exchange);
  } catch (error) {
    if (isPathUnknown(error) && fallback?.(exchange) === true) return;
    response = toAnswer(error, exchange);
  }
  send(exchange, response);
}

/** Takes an exchange that no operation has a path for, and answers it on its own. @returns false to decline */
export type Fallback = (exchange: Exchange) => boolean;

const isPathUnknown = (error: unknown): boolean => error instanceof GatewayError && error.code === "OPERATION_UNKNOWN";

function dispatch(snapshot: Snapshot, exchange: Exchange): Promise<GatewayResponse> {
  const { request } = exchange;
  const path = findNormalisedPath(request.path);
  if (path === undefined)
    throw new GatewayError("PATH_REFUSED", "send the path without dot segments, empty segments or backslashes");
  request.path = path;
  const match = snapshot.router.match(request.authority, request.method, path);
  if (match.kind === "path-unknown")
    throw new GatewayError("OPERATION_UNKNOWN", "the API descriptions have no such path");
  if (request.method === "OPTIONS") {
    const preflight = findPreflight(snapshot, exchange, path);
    if (preflight !== undefined) return Promise.resolve(preflight);
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

/** A preflight is answered by the plugin of the operation that the browser wants to call, before anything asks who calls. */
function findPreflight(snapshot: Snapshot, exchange: Exchange, path: string): GatewayResponse | undefined {
  const { authority, headers } = exchange.request;
  const wanted = headers.get("access-control-request-method");
  if (wanted === undefined || !headers.has("origin")) return undefined;
  // No operation has the method "": what comes back is the methods of the path.
  const all = snapshot.router.match(authority, "", path);
  if (all.kind !== "method-unknown") return undefined;
  for (const method of [wanted, ...all.allow]) {
    const match = snapshot.router.match(authority, method, path);
    if (match.kind !== "found" || match.value.preflight === undefined) continue;
    exchange.operation = match.value.operation;
    return match.value.preflight(exchange, all.allow);
  }
  return undefined;
}

const optionsAnswer = (allow: readonly string[]): GatewayResponse => ({
  status: 204,
  headers: new HeaderList(["Allow", allow.join(", ")]),
  body: null,
});

/** Makes the exchange of a request. @param peer the caller, as the trusted proxies tell it */
export function toExchange(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  id: string,
  client: { readonly address: string; readonly peer: string },
): Exchange {
  const target = incoming.url ?? "/";
  const question = target.indexOf("?");
  const headers = new HeaderList(incoming.rawHeaders);
  const hasBody = headers.has("transfer-encoding") || (headers.get("content-length") ?? "0") !== "0";
  const authority = (headers.get("host") ?? "").toLowerCase();
  stripHopByHop(headers);
  return new Exchange({
    id,
    request: {
      method: incoming.method ?? "GET",
      target,
      path: question < 0 ? target : target.slice(0, question),
      query: question < 0 ? "" : target.slice(question + 1),
      headers,
      body: hasBody ? incoming : null,
      httpVersion: incoming.httpVersion,
      scheme: (incoming.socket as TLSSocket).encrypted ? "https" : "http",
      authority,
    },
    client,
    startedAtMs: performance.now(),
    incoming,
    outgoing,
  });
}

function send(exchange: Exchange, response: GatewayResponse): void {
  const outgoing = exchange.outgoing as ServerResponse;
  const { body } = response;
  if (outgoing.destroyed) {
    if (isStream(body)) body.destroy();
    return;
  }
  // A body that nobody will read must not be taken for the next request: the connection ends with this answer.
  const isUnread = isStream(exchange.request.body) && !exchange.request.body.readableEnded;
  if (isUnread && exchange.attempts === 0) response.headers.set("Connection", "close");
  outgoing.writeHead(response.status, response.headers.toFlat());
  if (isStream(body)) pipeline(body, outgoing, () => {});
  else if (body === null || exchange.request.method === "HEAD") outgoing.end();
  else outgoing.end(body);
  if (channels.exchangeEnd.hasSubscribers) {
    outgoing.once("close", () => {
      channels.exchangeEnd.publish({
        exchange,
        status: response.status,
        durationMs: performance.now() - exchange.startedAtMs,
      });
    });
  }
}

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import type { Readable } from "node:stream";
import { CappedBody } from "../core/capped-body.ts";
import { GatewayError } from "../core/errors.ts";
import { type Body, Exchange, type NodeObjects } from "../core/exchange.ts";
import { HeaderList } from "../core/headers.ts";
import { REFUSED_METHODS } from "../core/methods.ts";
import { TRUSTED_FORWARDED } from "../forwarding/request-headers.ts";
import { readTarget, type Target } from "./authority.ts";
import type { TrustedProxies } from "./client-address.ts";
import type { Connection, Served } from "./connection.ts";
import { readForwarded } from "./forwarded.ts";
import { isHttp2 } from "./http2.ts";
import { type RequestHead, readHead } from "./read-request.ts";
import { RequestTrailers } from "./request-trailers.ts";
import { WITHHELD_FIELDS } from "./withheld-fields.ts";

export interface ExchangeRules {
  readonly trusted: TrustedProxies;
  readonly pseudonym: string;
  readonly maxHeaders: number;
  readonly maxBodyBytes: number;
}

export interface ReadExchange {
  readonly exchange: Exchange;
  /** Why the request goes no further. */
  readonly refusal: unknown;
  /** What follows on the connection cannot be trusted. */
  readonly mustClose: boolean;
  /** −1: of unknown length. */
  readonly bodyBytes: number;
  /** `OPTIONS *`: asks of the gateway, not of a path. */
  readonly isServerWide: boolean;
  readonly upgrade: string | undefined;
}

const NO_TARGET: Target = { path: "/", query: "" };
/** So many times the largest body that is taken, and this many bytes, is no body that somebody wants to send. */
const ABSURD = 512;
const ABSURD_BYTES = 512 * 1024 * 1024;

/** Makes the exchange of a request; of one that is refused too, so that it is logged and counted like the others. */
export function createExchange(
  node: Served,
  id: string,
  connection: Connection,
  rules: ExchangeRules,
  isUpgrade: boolean,
): ReadExchange {
  const { incoming, outgoing } = node;
  const method = incoming.method as string;
  const rawTarget = incoming.url as string;
  const { httpVersion } = incoming;
  let head: RequestHead | undefined;
  let target: Target | undefined = NO_TARGET;
  let refusal: unknown;
  let mustClose = false;
  try {
    if (httpVersion === "0.9") throw new GatewayError("REQUEST_MALFORMED", "the request line has no version");
    if (httpVersion !== "1.1" && httpVersion !== "1.0" && !isHttp2(incoming)) {
      throw new GatewayError("VERSION_UNSUPPORTED", "send HTTP/1.1");
    }
    head = readHead(incoming.rawHeaders, httpVersion, {
      maxHeaders: rules.maxHeaders,
      isTrusted: connection.isTrusted,
      pseudonym: rules.pseudonym,
    });
    if (REFUSED_METHODS.has(method)) throw new GatewayError("METHOD_UNKNOWN", `${method} is not for a gateway`);
    target = readTarget(rawTarget, method, head.authority);
    if (isUpgrade) checkWebSocketVersion(head);
    if (isUpgrade && head.bodyBytes !== 0) {
      throw new GatewayError("REQUEST_MALFORMED", "a request for an upgrade has no body");
    }
    if (head.bodyBytes > ABSURD_BYTES && head.bodyBytes > rules.maxBodyBytes * ABSURD) {
      throw new GatewayError("REQUEST_MALFORMED", "Content-Length is too large to be true");
    }
    if (head.bodyBytes > rules.maxBodyBytes) {
      throw new GatewayError("BODY_TOO_LARGE", `at most ${rules.maxBodyBytes} bytes are taken`);
    }
  } catch (error) {
    refusal = error;
    mustClose = true;
  }
  const bodyBytes = head === undefined ? 0 : bodyLength(incoming, head);
  const body =
    refusal === undefined && bodyBytes !== 0 ? openBody(incoming, outgoing, head, bodyBytes, rules.maxBodyBytes) : null;
  const exchange = toExchange({ id, node, method, rawTarget, target, httpVersion, head, body }, connection, rules);
  if (body instanceof CappedBody) RequestTrailers.follow(body, incoming, exchange.request, rules.maxHeaders);
  return { exchange, refusal, mustClose, bodyBytes, isServerWide: target === undefined, upgrade: head?.upgrade };
}

/** What is known of a request once it has been read, or refused. */
export interface RequestParts {
  readonly id: string;
  readonly node: NodeObjects;
  readonly method: string;
  readonly rawTarget: string;
  readonly target: Target | undefined;
  readonly httpVersion: string;
  readonly head: RequestHead | undefined;
  readonly body: Body;
}

export function toExchange(parts: RequestParts, connection: Connection, rules: ExchangeRules): Exchange {
  const { head, target } = parts;
  const { peer } = connection;
  const said = head?.forwarded === undefined ? undefined : readForwarded(head.forwarded, peer, rules.trusted);
  const exchange = new Exchange({
    id: parts.id,
    gateway: rules.pseudonym,
    request: {
      method: parts.method,
      target: parts.rawTarget,
      path: target?.path ?? "*",
      query: target?.query ?? "",
      headers: head?.headers ?? new HeaderList(),
      body: parts.body,
      trailers: undefined,
      takesTrailers: head?.takesTrailers === true && parts.httpVersion !== "1.0",
      httpVersion: parts.httpVersion,
      scheme: said?.scheme ?? connection.scheme,
      authority: head?.authority ?? "",
    },
    client: { address: said?.address ?? peer, peer },
    startedAtMs: performance.now(),
    node: parts.node,
  });
  if (said !== undefined) exchange.set(TRUSTED_FORWARDED, said.fields);
  if (head?.withheld !== undefined) exchange.set(WITHHELD_FIELDS, head.withheld);
  return exchange;
}

/** Whether or not the operation is a WebSocket: who asks for another version learns which one there is (RFC 6455 §4.4). */
function checkWebSocketVersion({ upgrade, headers }: RequestHead): void {
  if (upgrade !== "websocket" || (headers.get("sec-websocket-version") ?? "13") === "13") return;
  throw new GatewayError("UPGRADE_REQUIRED", "WebSocket is spoken in version 13", {
    headers: { "Sec-WebSocket-Version": "13" },
  });
}

/** HTTP/2 frames a body without a field that says so. @returns −1 for one of unknown length */
function bodyLength(incoming: IncomingMessage, head: RequestHead): number {
  if (head.bodyBytes !== 0 || !isHttp2(incoming) || head.headers.has("content-length")) return head.bodyBytes;
  return (incoming as unknown as Http2ServerRequest).stream.endAfterHeaders ? 0 : -1;
}

function openBody(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  head: RequestHead | undefined,
  bodyBytes: number,
  maxBodyBytes: number,
): Readable {
  if (head?.expectsContinue === true) continueWhenRead(incoming, outgoing);
  if (bodyBytes !== -1) return incoming;
  return new CappedBody(incoming, maxBodyBytes);
}

/** Says 100 when somebody first wants the body, and not before: an answer given early then saves the client sending it. */
function continueWhenRead(incoming: IncomingMessage, outgoing: ServerResponse): void {
  const read = incoming._read;
  incoming._read = function readAndContinue(size) {
    this._read = read;
    // Who sends the body without waiting needs no leave any more (RFC 9110 §10.1.1).
    const hasCome = this.complete || this.readableLength > 0;
    if (!outgoing.headersSent && !hasCome) outgoing.writeContinue();
    read.call(this, size);
  };
}

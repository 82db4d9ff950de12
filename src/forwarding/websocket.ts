import { createHash } from "node:crypto";
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type httpProxy from "http-proxy";
import type { AddressGuard } from "../core/address-guard.ts";
import { GatewayError } from "../core/errors.ts";
import { defineExchangeKey, type Exchange, type GatewayResponse } from "../core/exchange.ts";
import { HeaderList } from "../core/headers.ts";
import { lazyPackage } from "../core/lazy.ts";
import type { Balancer, Endpoint } from "../core/upstream.ts";
import { GuardedAgents } from "./guarded-agents.ts";
import { stripHopByHop } from "./hop-by-hop.ts";
import { type TryOptions, upstreamHeaders, upstreamTarget } from "./http.ts";
import type { WebsocketOptions } from "./options.ts";
import type { ConnectOptions } from "./pools.ts";
import type { TryOnce } from "./try.ts";
import { toOutcome } from "./try-error.ts";
import { Tunnel, type TunnelLimits } from "./tunnel.ts";
import { malformed, UpstreamError } from "./upstream-error.ts";

/** Set by the gateway where a client asks for a WebSocket: its socket, and what came with the handshake. */
export const WEBSOCKET = defineExchangeKey<{ readonly socket: Socket; readonly head: Buffer }>("websocket");
/** Set where the upstream has agreed: to be started once the client has its 101. */
export const TUNNEL = defineExchangeKey<Tunnel>("tunnel");

const library = lazyPackage<typeof httpProxy>("http-proxy");
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const KEY = /^[A-Za-z0-9+/]{22}==$/;
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

export interface WebSocketTryOptions extends TryOptions {
  readonly connect: ConnectOptions;
  /** Asked before each connection. */
  readonly guard?: AddressGuard | undefined;
  readonly websocket: WebsocketOptions;
}

function openProxy(): httpProxy {
  const proxy = library().createProxyServer({});
  // Every call has its own callback; this is for what comes after an error has been told.
  proxy.on("error", () => {});
  // It merges slashes, also of a path whose template has an empty segment: the upstream gets what was routed.
  proxy.on("proxyReqWs", (asked, handshake) => {
    asked.path = handshake.url as string;
  });
  return proxy;
}

/** One try at opening a WebSocket, by way of http-proxy; what is no WebSocket goes to `http`. */
export function createWebSocketTry(
  balancer: Pick<Balancer, "report">,
  http: TryOnce,
  options: WebSocketTryOptions,
): TryOnce {
  let opened: httpProxy | undefined;
  const agents = new GuardedAgents(options.guard, options.connect.tls?.serverName);
  const headersMs = options.timeouts.headersMs ?? 15_000;

  return function tryWebSocket(exchange, endpoint, control) {
    const wanted = exchange.get(WEBSOCKET);
    if (wanted === undefined) return http(exchange, endpoint, control);
    opened ??= openProxy();
    const proxy = opened;
    let agent: ReturnType<GuardedAgents["for"]>;
    try {
      checkHandshake(exchange, options.websocket);
      agent = agents.for(new URL(endpoint.origin));
    } catch (error) {
      // A handshake that is refused says nothing of the instance, which was not asked.
      const isItsAddress = error instanceof GatewayError && error.code === "UPSTREAM_ADDRESS_REFUSED";
      balancer.report(endpoint, { kind: isItsAddress ? "reset" : "cancelled" });
      return Promise.reject(error as Error);
    }
    const startedAtMs = performance.now();
    const tunnel = new Tunnel(wanted.socket, wanted.head, limitsOf(exchange, options.websocket));
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        clearTimeout(timer);
        tunnel.destroy();
        balancer.report(endpoint, { kind: exchange.isAborted ? "cancelled" : toOutcome(error) });
        reject(error);
      };
      const answer = (response: GatewayResponse): void => {
        clearTimeout(timer);
        balancer.report(endpoint, {
          kind: "response",
          status: response.status,
          latencyMs: performance.now() - startedAtMs,
        });
        resolve(response);
      };
      let asking: ClientRequest | undefined;
      const timer = setTimeout(
        () => asking?.destroy(new UpstreamError("headers-timeout", "no headers in time")),
        headersMs,
      );
      const onAsk = (request: ClientRequest, source: unknown): void => {
        if (source !== handshake) return;
        proxy.off("proxyReqWs", onAsk as never);
        asking = request;
        exchange.onAbort(() => request.destroy(new Error("the client went away")));
        control?.attach((error) => request.destroy(error));
        request.on("response", (response: IncomingMessage & { upgrade?: boolean }) => {
          // http-proxy would copy the answer to the socket as it is; to it, this one is dealt with.
          response.upgrade = true;
          tunnel.destroy();
          answer(toResponse(response, response));
        });
        request.on("upgrade", (response: IncomingMessage, socket: Socket) => {
          if (response.statusCode !== 101 || !isAccepted(exchange, response)) {
            socket.destroy();
            fail(malformed("the upstream did not agree to the WebSocket"));
            return;
          }
          tunnel.attach(socket, response.headers["sec-websocket-extensions"] !== undefined);
          exchange.set(TUNNEL, tunnel);
          answer(toResponse(response, null));
        });
      };
      const handshake = toHandshake(exchange, endpoint, options);
      proxy.on("proxyReqWs", onAsk as never);
      proxy.ws(
        handshake as never,
        tunnel,
        Buffer.alloc(0),
        { target: toTarget(endpoint, options) as never, agent, toProxy: true },
        fail,
      );
    });
  };
}

/** @throws GatewayError when it is none that the gateway speaks, or from a page of another origin */
function checkHandshake({ request }: Exchange, { origins }: WebsocketOptions): void {
  const { headers, authority } = request;
  if (headers.get("sec-websocket-version") !== "13") {
    throw new GatewayError("UPGRADE_REQUIRED", "WebSocket is spoken in version 13", {
      headers: { "Sec-WebSocket-Version": "13" },
    });
  }
  if (request.method !== "GET" || !KEY.test(headers.get("sec-websocket-key") ?? "")) {
    throw new GatewayError("REQUEST_MALFORMED", "the WebSocket handshake is not valid");
  }
  const origin = headers.get("origin");
  if (origin === undefined || origins?.includes("*") === true || origins?.includes(origin) === true) return;
  // A browser sends a user's cookies along from any page: RFC 6455 §10.2.
  if (origins === undefined && origin === `${request.scheme}://${authority}`) return;
  throw new GatewayError("FORBIDDEN", "this origin may not open a WebSocket here");
}

function limitsOf(exchange: Exchange, options: WebsocketOptions): TunnelLimits {
  const lifeMs = (options.maxSeconds ?? Number.POSITIVE_INFINITY) * 1000;
  const expiresAt = exchange.consumer?.claims?.exp;
  const leftMs = typeof expiresAt === "number" ? Math.max(0, expiresAt * 1000 - Date.now()) : Number.POSITIVE_INFINITY;
  return {
    maxMessageBytes: options.maxMessageBytes ?? MAX_MESSAGE_BYTES,
    idleMs: (options.idleSeconds ?? 300) * 1000,
    lifeMs: Math.min(lifeMs, leftMs),
  };
}

function toHandshake(exchange: Exchange, endpoint: Endpoint, options: WebSocketTryOptions): object {
  const flat = upstreamHeaders(exchange, options.preserveHost);
  const headers: IncomingHttpHeaders = { connection: "Upgrade", upgrade: "websocket" };
  new HeaderList(flat.slice()).forEach((_name, value, lower) => {
    if (lower === "content-length") return;
    const before = headers[lower];
    headers[lower] = before === undefined ? value : [before, value].flat();
  });
  headers.host ??= new URL(endpoint.origin).host;
  return { method: "GET", url: upstreamTarget(exchange, endpoint, options.stripSegments), headers };
}

function toTarget(endpoint: Endpoint, { connect }: WebSocketTryOptions): object {
  const { protocol, hostname, port } = new URL(endpoint.origin);
  const { ca, cert, key } = connect.tls ?? {};
  return { protocol, hostname: hostname.replace(/^\[|\]$/g, ""), port, ca, cert, key };
}

function isAccepted(exchange: Exchange, response: IncomingMessage): boolean {
  const key = exchange.request.headers.get("sec-websocket-key") ?? "";
  const expected = createHash("sha1").update(`${key}${GUID}`).digest("base64");
  return response.headers["sec-websocket-accept"] === expected && /^websocket$/i.test(response.headers.upgrade ?? "");
}

function toResponse(incoming: IncomingMessage, body: IncomingMessage | null): GatewayResponse {
  const headers = new HeaderList(incoming.rawHeaders.slice());
  stripHopByHop(headers);
  return { status: incoming.statusCode ?? 502, headers, body };
}

import type { Server } from "node:http";
import { createSecureServer, type ServerHttp2Session } from "node:http2";
import type { TlsOptions } from "node:tls";
import { limitSession } from "./http2-limits.ts";

/** A session without a stream in that time goes. */
const IDLE_MS = 60_000;

export interface Http2Limits {
  readonly headerBytes: number;
  readonly headers: number;
  /** How long a client may let its streams wait for it. */
  readonly stallMs: number;
}

/**
 * A server that speaks HTTP/2 and HTTP/1.1, as ALPN decides, within limits for what a session may hold.
 * @returns typed as the HTTP/1 server that it also is; `closeIdleConnections` asks its sessions to end
 */
export function createHttp2Server(tls: TlsOptions, limits: Http2Limits): Server {
  const server = createSecureServer({
    ...tls,
    allowHTTP1: true,
    maxSessionMemory: 10,
    maxHeaderListPairs: limits.headers + 8,
    maxOutstandingPings: 10,
    maxSessionInvalidFrames: 50,
    maxSessionRejectedStreams: 50,
    unknownProtocolTimeout: 5_000,
    settings: { enablePush: false, maxConcurrentStreams: 100, maxHeaderListSize: limits.headerBytes },
  });
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    session.on("error", () => session.destroy());
    session.setTimeout(IDLE_MS, () => session.close());
    limitSession(session, limits.stallMs);
  });
  const both = server as unknown as Server;
  const closeIdle = both.closeIdleConnections?.bind(both);
  const closeAll = both.closeAllConnections?.bind(both);
  both.closeIdleConnections = () => {
    closeIdle?.();
    for (const session of sessions) if (!session.closed) session.close();
  };
  both.closeAllConnections = () => {
    closeAll?.();
    for (const session of sessions) session.destroy();
  };
  return both;
}

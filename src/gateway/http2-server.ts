import type { Server } from "node:http";
import { createSecureServer, type ServerHttp2Session } from "node:http2";
import type { TlsOptions } from "node:tls";
import { limitSession, type SessionPatience } from "./http2-limits.ts";

export interface Http2Limits extends SessionPatience {
  readonly headerBytes: number;
  readonly headers: number;
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
    limitSession(session, limits);
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

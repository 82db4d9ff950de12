import type { Server } from "node:http";
import { constants, createSecureServer, type ServerHttp2Session } from "node:http2";
import type { TlsOptions } from "node:tls";
import { endSession, limitSession, type SessionPatience } from "./http2-limits.ts";

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
  const unasked = new WeakSet<ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    unasked.add(session);
    session.once("stream", () => unasked.delete(session));
    session.once("close", () => sessions.delete(session));
    session.on("error", () => session.destroy());
    limitSession(session, limits);
  });
  const both = server as unknown as Server;
  const closeIdle = both.closeIdleConnections?.bind(both);
  const closeAll = both.closeAllConnections?.bind(both);
  both.closeIdleConnections = () => {
    closeIdle?.();
    for (const session of sessions) {
      // An orderly end waits for the client to speak; one that has not asked for anything may never.
      if (unasked.has(session)) endSession(session, constants.NGHTTP2_NO_ERROR);
      else if (!session.closed) session.close();
    }
  };
  both.closeAllConnections = () => {
    closeAll?.();
    for (const session of sessions) session.destroy();
  };
  return both;
}

import type { Server } from "node:http";
import { constants, createSecureServer, type ServerHttp2Session } from "node:http2";
import type { TlsOptions } from "node:tls";

/** Streams that a client may open and reset in one window; more is a rapid reset (CVE-2023-44487). ATTACKS 46. */
const MAX_RESETS = 100;
const RESET_WINDOW_MS = 10_000;
/** A session without a stream in that time goes. */
const IDLE_MS = 60_000;

export interface Http2Limits {
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
    session.setTimeout(IDLE_MS, () => session.close());
    limitResets(session);
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

function limitResets(session: ServerHttp2Session): void {
  let resets = 0;
  let sinceMs = 0;
  session.on("stream", (stream) => {
    stream.once("close", () => {
      if (stream.rstCode === constants.NGHTTP2_NO_ERROR) return;
      const nowMs = performance.now();
      if (nowMs - sinceMs > RESET_WINDOW_MS) {
        sinceMs = nowMs;
        resets = 0;
      }
      if (++resets <= MAX_RESETS || session.destroyed) return;
      session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      session.destroy();
    });
  });
}

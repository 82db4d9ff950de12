import { createServer, type Server, ServerResponse } from "node:http";
import { createServer as createHttpsServer, type Server as HttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { LimitOptions, ListenOptions } from "../config/listen-options.ts";
import { watchClients } from "./client-watch.ts";
import type { Front } from "./front.ts";
import { closeUnsecured } from "./handshakes.ts";
import { isHttp2 } from "./http2.ts";
import { createHttp2Server, type Http2Limits } from "./http2-server.ts";
import { openLanes } from "./lane/open-lanes.ts";
import { answerParseError } from "./parse-error.ts";
import { DEFAULT_MAX_HEADERS, holdToLimits, toHeaderBytes, toServerOptions } from "./server-limits.ts";
import type { Certificates } from "./tls.ts";

function createPlainOrTls(
  listen: ListenOptions,
  options: ReturnType<typeof toServerOptions>,
  limits: Http2Limits,
  certificates: Certificates | undefined,
): Server {
  if (certificates === undefined) return createServer(options);
  const tls = certificates.serverOptions();
  const server =
    listen.http2 === true
      ? createHttp2Server({ ...tls, ...options }, limits)
      : createHttpsServer({ ...tls, ...options });
  certificates.renew(server as HttpsServer);
  closeUnsecured(server);
  return server;
}

/** The server in front: it holds the limits of single connections, and gives every request to `front`. */
export function createFrontServer(
  front: Front,
  listen: ListenOptions,
  limits: LimitOptions,
  certificates: Certificates | undefined,
): Server {
  const headerBytes = toHeaderBytes(limits);
  const stallMs = (limits.bodyIdleSeconds ?? 8) * 1000;
  const headerMs = (limits.headerSeconds ?? 10) * 1000;
  const keepAliveMs = (limits.keepAliveSeconds ?? 60) * 1000;
  const server = createPlainOrTls(
    listen,
    toServerOptions(limits),
    { headerBytes, headers: limits.headers ?? DEFAULT_MAX_HEADERS, stallMs, headerMs },
    certificates,
  );
  holdToLimits(server, limits);
  // Watched for all connections together.
  server.keepAliveTimeout = 0;
  server.on("request", (incoming, outgoing: ServerResponse & { _keepAliveTimeout?: number }) => {
    // Node tells the client of it, in `Keep-Alive`, by this property alone.
    outgoing._keepAliveTimeout = keepAliveMs;
    front.handle(incoming, outgoing);
  });
  server.on("checkContinue", front.handle);
  server.on("checkExpectation", front.handle);
  server.on("upgrade", front.handleUpgrade);
  server.on("connect", (incoming, socket: Socket) => {
    if (isHttp2(incoming)) {
      // HTTP/2 gives no socket away, but an answer: one that nobody wrote would say that there is a tunnel.
      front.handle(incoming, socket as unknown as ServerResponse);
      return;
    }
    const outgoing = new ServerResponse(incoming);
    outgoing.assignSocket(socket);
    outgoing.shouldKeepAlive = false;
    outgoing.once("finish", () => socket.destroySoon());
    front.handle(incoming, outgoing);
  });
  server.on("clientError", (error, socket) => {
    answerParseError(error, socket as Socket, front.nextId(), front.breakOff(socket as Socket));
  });
  server.on("dropRequest", (_request, socket: Socket) => socket.destroy());
  const { trusted, pseudonym, maxHeaders, maxBodyBytes } = front.options;
  openLanes(server, front, {
    trusted,
    keepAliveMs,
    rules: { pseudonym, maxHeaders, maxBodyBytes, maxHeadBytes: headerBytes },
  });
  watchClients(server, front, { stallMs, headerMs, keepAliveMs });
  return server;
}

/** @returns the base URL @throws when the port is taken */
export async function bind(server: Server, port: number, host: string, scheme: "http" | "https"): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const { address, port: bound, family } = server.address() as AddressInfo;
  return `${scheme}://${family === "IPv6" ? `[${address}]` : address}:${bound}`;
}

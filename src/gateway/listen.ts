import { createServer, type Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { LimitOptions, ListenOptions } from "../config/listen-options.ts";
import { GatewayError } from "../core/errors.ts";
import { parseBytes } from "../core/units.ts";
import { ConnectionCaps } from "./connection-caps.ts";
import type { Front } from "./front.ts";
import { answerParseError, endWith } from "./parse-error.ts";
import { watchSlowClients } from "./slow-clients.ts";

export const DEFAULT_MAX_HEADERS = 100;

/** The server in front: it holds the limits of single connections, and gives every request to `front`. */
export function createFrontServer(front: Front, _listen: ListenOptions, limits: LimitOptions): Server {
  const server = createServer({
    maxHeaderSize: parseBytes(limits.headerBytes ?? "32KiB"),
    headersTimeout: (limits.headerSeconds ?? 10) * 1000,
    requestTimeout: (limits.requestSeconds ?? 300) * 1000,
    keepAliveTimeout: (limits.keepAliveSeconds ?? 60) * 1000,
    connectionsCheckingInterval: 1_000,
    // Judged with everything else about Host, and answered with a problem document.
    requireHostHeader: false,
  });
  // Node drops silently what is above: one more than allowed shows that there were too many.
  server.maxHeadersCount = (limits.headers ?? DEFAULT_MAX_HEADERS) + 1;
  const caps = new ConnectionCaps({
    total: limits.connections ?? 65_536,
    perAddress: limits.connectionsPerAddress ?? Number.POSITIVE_INFINITY,
  });
  server.on("connection", (socket: Socket) => {
    if (!caps.admit(socket)) endWith(new GatewayError("OVERLOADED", "too many connections"), socket, "connection");
  });
  server.on("request", front.handle);
  server.on("checkContinue", front.handle);
  server.on("checkExpectation", front.handle);
  server.on("upgrade", front.handleUpgrade);
  server.on("connect", (incoming, socket: Socket) => {
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
  watchSlowClients(server, front, (limits.bodyIdleSeconds ?? 8) * 1000);
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

import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";

/**
 * Makes a TLS server's `closeIdleConnections` and `closeAllConnections` mean connections without a finished handshake, too:
 * Node tells of them only as TCP connections, and would have its `close` wait for each until `handshakeTimeout`.
 */
export function closeUnsecured(server: Server): void {
  const unsecured = new Map<string, Socket>();
  server.on("connection", (socket: Socket) => {
    const peer = peerOf(socket);
    unsecured.set(peer, socket);
    socket.once("close", () => {
      if (unsecured.get(peer) === socket) unsecured.delete(peer);
    });
  });
  server.on("secureConnection", (socket: TLSSocket) => unsecured.delete(peerOf(socket)));
  const closeIdle = server.closeIdleConnections.bind(server);
  const closeAll = server.closeAllConnections.bind(server);
  const destroyUnsecured = (): void => {
    for (const socket of unsecured.values()) socket.destroy();
  };
  server.closeIdleConnections = () => {
    closeIdle();
    destroyUnsecured();
  };
  server.closeAllConnections = () => {
    closeAll();
    destroyUnsecured();
  };
}

/** What a TCP connection and the TLS on it have in common: on one port, it is the only one that has it. */
const peerOf = ({ remoteAddress, remotePort, localAddress }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localAddress}`;

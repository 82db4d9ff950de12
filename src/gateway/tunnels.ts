import type { Socket } from "node:net";
import type { GatewayResponse } from "../core/exchange.ts";
import type { Tunnel } from "../forwarding/tunnel.ts";
import { CLOSE } from "../forwarding/websocket-frames.ts";
import { writeHead } from "./parse-error.ts";

/** The WebSockets that are open: they outlive the configuration that let them in, and end with the gateway. */
export class Tunnels {
  private readonly open = new Set<Tunnel>();
  private isEnding = false;

  /** @returns whether the client's socket is the tunnel's from now on: false where either has gone */
  start(tunnel: Tunnel | undefined, socket: Socket, { headers }: GatewayResponse): boolean {
    if (tunnel === undefined || socket.destroyed) {
      tunnel?.destroy();
      socket.destroy();
      return false;
    }
    headers.append("Connection", "Upgrade");
    headers.append("Upgrade", "websocket");
    writeHead(socket, 101, "Switching Protocols", headers);
    this.open.add(tunnel);
    tunnel.once("close", () => this.open.delete(tunnel));
    tunnel.start();
    if (this.isEnding) tunnel.close(CLOSE.goingAway);
    return true;
  }

  /** Closes those that are open, and from now on each that opens. */
  end(): void {
    this.isEnding = true;
    for (const tunnel of this.open) tunnel.close(CLOSE.goingAway);
  }
}

import type { Server } from "node:http";
import type { Socket } from "node:net";
import { type TLSSocket, Server as TlsServer } from "node:tls";
import type { TrustedProxies } from "../client-address.ts";
import { Connection } from "../connection.ts";
import { DateField } from "./date-field.ts";
import { Lane, type LaneFront, type LaneOwner } from "./lane.ts";
import type { WholeRules } from "./whole-request.ts";

export interface LaneOptions {
  readonly trusted: TrustedProxies;
  readonly rules: Omit<WholeRules, "isTrusted">;
  /** How long an idle connection stays. */
  readonly keepAliveMs: number;
}

/** Stands in front of a server's own HTTP/1 reader, which gets the connections that a {@link Lane} has no place for. */
export function openLanes(server: Server, front: LaneFront, options: LaneOptions): void {
  const event = server instanceof TlsServer ? "secureConnection" : "connection";
  const [readByNode] = server.listeners(event) as ((this: Server, socket: Socket) => void)[];
  if (readByNode === undefined) return;
  server.off(event, readByNode);
  const { keepAliveMs, trusted, rules } = options;
  const lanes = new Set<Lane>();
  const owner: LaneOwner = {
    front,
    keepAliveMs,
    keepAliveLines: `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepAliveMs / 1000)}\r\n`,
    date: new DateField(),
    handOver(lane) {
      lanes.delete(lane);
      readByNode.call(server, lane.socket);
    },
    forget(lane) {
      lanes.delete(lane);
    },
  };
  const rulesOf = { trusted: { ...rules, isTrusted: true }, others: { ...rules, isTrusted: false } };
  server.on(event, (socket: Socket) => {
    const { alpnProtocol } = socket as TLSSocket;
    if (typeof alpnProtocol === "string" && alpnProtocol !== "http/1.1") {
      readByNode.call(server, socket);
      return;
    }
    const connection = Connection.of(socket, trusted);
    lanes.add(new Lane(connection, owner, connection.isTrusted ? rulesOf.trusted : rulesOf.others));
  });
  const closeIdle = server.closeIdleConnections.bind(server);
  const closeAll = server.closeAllConnections.bind(server);
  server.closeIdleConnections = () => {
    closeIdle();
    for (const lane of lanes) if (lane.isIdle) lane.socket.destroy();
  };
  server.closeAllConnections = () => {
    closeAll();
    for (const lane of lanes) lane.socket.destroy();
  };
}

import type { Server } from "node:http";
import type { Socket } from "node:net";
import { Server as TlsServer } from "node:tls";
import { GatewayError } from "../core/errors.ts";
import { Connection, type WaitsFor } from "./connection.ts";
import type { Front } from "./front.ts";
import { endWith } from "./parse-error.ts";
import { ClientResets } from "./reset-clients.ts";

/** A body that comes or is read slower than this over a whole window is an attack, or as good as one. Apache's choice, too. */
export const MIN_BYTES_PER_SECOND = 500;

export interface Patience {
  /** How long a client may stall amid a body or an answer, and over which its rate is looked at. */
  readonly stallMs: number;
  /** For the head of a connection's first request. */
  readonly headerMs: number;
  /** Between two requests of a connection. */
  readonly keepAliveMs: number;
}

interface Watched {
  waitsFor: WaitsFor | undefined;
  bytes: number;
  sinceMs: number;
}

/** How often it is looked for connections without a request. Little is looked at: they stand in the order of their opening. */
const LOOK_FOR_UNASKED_MS = 250;

/**
 * Ends clients that hold a connection by hardly sending, hardly reading, or with nothing to ask. While the headers
 * of a later request come, Node's own limit holds; its timer between requests, set and taken away with each of them, costs half a microsecond.
 */
export function watchClients(server: Server, front: Front, patience: Patience): void {
  const sockets = new Map<Socket, Watched>();
  const openedAtMs = new Map<Socket, number>();
  server.on(server instanceof TlsServer ? "secureConnection" : "connection", (socket: Socket) => {
    sockets.set(socket, { waitsFor: undefined, bytes: 0, sinceMs: 0 });
    openedAtMs.set(socket, performance.now());
    socket.once("close", () => {
      sockets.delete(socket);
      openedAtMs.delete(socket);
    });
  });
  const { stallMs, keepAliveMs, headerMs } = patience;
  const resets = new ClientResets();
  const watching = setInterval(() => {
    const nowMs = performance.now();
    for (const [socket, watched] of sockets) look(front, resets, socket, watched, patience, nowMs);
  }, Math.min(stallMs, keepAliveMs) / 8);
  const unasked = setInterval(
    () => endUnasked(front, openedAtMs, headerMs),
    Math.min(LOOK_FOR_UNASKED_MS, headerMs / 8),
  );
  watching.unref();
  unasked.unref();
  server.once("close", () => {
    clearInterval(watching);
    clearInterval(unasked);
  });
}

/** A connection has that long for the whole head of its first request, however late its first byte comes. */
function endUnasked(front: Front, openedAtMs: Map<Socket, number>, headerMs: number): void {
  const lastMs = performance.now() - headerMs;
  for (const [socket, sinceMs] of openedAtMs) {
    if (sinceMs > lastMs) return;
    openedAtMs.delete(socket);
    if (isUnasked(Connection.find(socket)) && !socket.writableEnded) endWith(tooLate(), socket, front.nextId());
  }
}

/** Over HTTP/2 it is the session that watches. */
const isUnasked = (connection: Connection | undefined): boolean =>
  connection !== undefined && !connection.hasAsked && !connection.isHttp2;

function look(
  front: Front,
  resets: ClientResets,
  socket: Socket,
  watched: Watched,
  patience: Patience,
  nowMs: number,
): void {
  const connection = Connection.find(socket);
  if (isUnasked(connection)) return;
  const waitsFor = connection === undefined ? waitsForReader(socket) : connection.waitsFor;
  if (waitsFor === undefined && watched.waitsFor === undefined) return;
  const bytes = waitsFor === "reader" ? socket.bytesWritten - socket.writableLength : socket.bytesRead;
  const isNew = waitsFor !== watched.waitsFor;
  const moved = bytes - watched.bytes;
  const sinceMs = nowMs - watched.sinceMs;
  const isIdle = !isNew && waitsFor === "request" && moved === 0;
  if (isIdle) {
    if (sinceMs >= patience.keepAliveMs) socket.destroy();
    return;
  }
  if (!isNew && waitsFor !== "request" && sinceMs < patience.stallMs) return;
  watched.waitsFor = waitsFor;
  watched.bytes = bytes;
  watched.sinceMs = nowMs;
  if (isNew || moved >= (MIN_BYTES_PER_SECOND * patience.stallMs) / 1000) return;
  if (waitsFor === "reader") {
    resets.add(socket);
  } else if (waitsFor === "body") {
    if (connection?.hasAnswered === true) socket.destroy();
    else endWith(new GatewayError("REQUEST_TIMEOUT", "the body comes too slowly"), socket, front.nextId());
  }
}

const waitsForReader = (socket: Socket): WaitsFor | undefined => (socket.writableLength > 0 ? "reader" : undefined);

const tooLate = (): GatewayError => new GatewayError("REQUEST_TIMEOUT", "the request did not arrive in time");

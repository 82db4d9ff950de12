import type { Server } from "node:http";
import type { Socket } from "node:net";
import { GatewayError } from "../core/errors.ts";
import type { Front } from "./front.ts";
import { endWith } from "./parse-error.ts";

/** A body that comes or is read slower than this over a whole window is an attack, or as good as one. Apache's choice, too. */
export const MIN_BYTES_PER_SECOND = 500;

interface Watched {
  waitsFor: "body" | "reader" | undefined;
  bytes: number;
  sinceMs: number;
}

/**
 * Ends clients that hold a connection by hardly sending or hardly reading. Between requests and while headers come,
 * Node's own limits hold.
 * @param windowMs how long a client may stall, and over which its rate is looked at
 */
export function watchSlowClients(server: Server, front: Front, windowMs: number): void {
  const sockets = new Map<Socket, Watched>();
  server.on("connection", (socket: Socket) => {
    sockets.set(socket, { waitsFor: undefined, bytes: 0, sinceMs: 0 });
    socket.once("close", () => sockets.delete(socket));
  });
  const minBytes = (MIN_BYTES_PER_SECOND * windowMs) / 1000;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    for (const [socket, watched] of sockets) look(front, socket, watched, { nowMs, windowMs, minBytes });
  }, windowMs / 4);
  timer.unref();
  server.once("close", () => clearInterval(timer));
}

function look(
  front: Front,
  socket: Socket,
  watched: Watched,
  at: { readonly nowMs: number; readonly windowMs: number; readonly minBytes: number },
): void {
  const waitsFor = front.waitsFor(socket);
  if (waitsFor === undefined && watched.waitsFor === undefined) return;
  const bytes = waitsFor === "body" ? socket.bytesRead : socket.bytesWritten - socket.writableLength;
  const isNew = waitsFor !== watched.waitsFor;
  if (!isNew && at.nowMs - watched.sinceMs < at.windowMs) return;
  const moved = bytes - watched.bytes;
  watched.waitsFor = waitsFor;
  watched.bytes = bytes;
  watched.sinceMs = at.nowMs;
  if (isNew || moved >= at.minBytes) return;
  if (waitsFor === "reader") {
    socket.destroy();
  } else if (waitsFor === "body") {
    if (front.hasAnswered(socket)) socket.destroy();
    else endWith(new GatewayError("REQUEST_TIMEOUT", "the body comes too slowly"), socket, front.nextId());
  }
}

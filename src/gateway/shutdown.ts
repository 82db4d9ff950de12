import type { Server } from "node:http";
import type { Front } from "./front.ts";

/** Whoever is idle is let go again and again: a client may have become idle since. */
const SWEEP_MS = 50;

/**
 * Ends a server without losing a request: no new connections, each answer the last of its connection, those in work up
 * to `graceMs`.
 */
export async function closeGracefully(server: Server, front: Front, graceMs: number): Promise<void> {
  front.end();
  if (!server.listening) return;
  await new Promise<void>((resolve) => {
    const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
    const cut = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearInterval(sweep);
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}

import type { Server } from "node:http";
import { Server as NetServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Front } from "./front.ts";

/** Whoever is idle is let go again and again: a client may have become idle since. */
const SWEEP_MS = 50;

export interface Ending {
  /** How long connections are still taken, for those in front to see that this gateway is not ready any more. */
  readonly drainMs: number;
  /** How long idle connections stay: a request may be on its way that would be lost with them. */
  readonly idleMs: number;
  /** What requests in work have at most. */
  readonly graceMs: number;
}

/**
 * Ends a server without losing a request: each answer the last of its connection, no new connections, those in work up
 * to their grace.
 */
export async function closeGracefully(server: Server, front: Front, ending: Ending): Promise<void> {
  front.end();
  if (!server.listening) return;
  if (ending.drainMs > 0) await delay(ending.drainMs);
  await new Promise<void>((resolve) => {
    let sweep: NodeJS.Timeout | undefined;
    const release = (): void => {
      server.closeIdleConnections();
      sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
    };
    const idle = ending.idleMs > 0 ? setTimeout(release, ending.idleMs) : undefined;
    const cut = setTimeout(() => server.closeAllConnections(), ending.graceMs);
    // An http.Server's own close() drops its idle connections at once.
    NetServer.prototype.close.call(server, () => {
      clearTimeout(idle);
      clearInterval(sweep);
      clearTimeout(cut);
      resolve();
    });
    if (ending.idleMs === 0) release();
  });
}

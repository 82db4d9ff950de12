import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

/** What a turn of the event loop has for it, unless a single one takes longer. */
const TURN_MS = 2;

/**
 * Resets connections, a few in each turn of the event loop. The kernel lets go of what a client has not read, up to megabytes, while it
 * is waited for, so that a thousand at once kept all other clients waiting.
 */
export class ClientResets {
  private waiting: Socket[] = [];

  add(socket: Socket): void {
    if (this.waiting.push(socket) === 1) setImmediate(this.turn);
  }

  private readonly turn = (): void => {
    const endsAtMs = performance.now() + TURN_MS;
    let done = 0;
    do reset(this.waiting[done++] as Socket);
    while (done < this.waiting.length && performance.now() < endsAtMs);
    this.waiting = this.waiting.slice(done);
    if (this.waiting.length > 0) setImmediate(this.turn);
  };
}

/** Drops what its client does not read in the kernel, too: megabytes that an orderly end would leave there for minutes. */
function reset(socket: Socket): void {
  if (socket instanceof TLSSocket) {
    // Node resets no TLS.
    socket.destroy();
    return;
  }
  // Some versions of Node would first wait until all is written.
  socket.destroySoon = socket.destroy;
  socket.resetAndDestroy();
}

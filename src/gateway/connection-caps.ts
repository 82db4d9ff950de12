import type { Socket } from "node:net";
import { toPeer } from "./client-address.ts";

/** How many connections there may be, in all and from one address. */
export class ConnectionCaps {
  private readonly byAddress = new Map<string, number>();
  private readonly max: { readonly total: number; readonly perAddress: number };
  private total = 0;

  constructor(max: { readonly total: number; readonly perAddress: number }) {
    this.max = max;
  }

  /** Counts a connection until it closes. @returns false when it is one too many */
  admit(socket: Socket): boolean {
    const address = toPeer(socket.remoteAddress);
    const ofAddress = this.byAddress.get(address) ?? 0;
    if (this.total >= this.max.total || ofAddress >= this.max.perAddress) return false;
    this.total++;
    this.byAddress.set(address, ofAddress + 1);
    socket.once("close", () => {
      this.total--;
      const left = (this.byAddress.get(address) ?? 1) - 1;
      if (left === 0) this.byAddress.delete(address);
      else this.byAddress.set(address, left);
    });
    return true;
  }
}

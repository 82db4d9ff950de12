import type { Snapshot } from "./snapshot.ts";

/** A snapshot in use: closed once it has been replaced and its last exchange is over. */
export class Generation {
  readonly snapshot: Snapshot;
  private inFlight = 0;
  private onDrained: (() => void) | undefined = undefined;

  constructor(snapshot: Snapshot) {
    this.snapshot = snapshot;
  }

  enter(): void {
    this.inFlight++;
  }

  leave(): void {
    if (--this.inFlight === 0) this.onDrained?.();
  }

  /** Resolves when no exchange uses it any more and what its plugins own is released. */
  async retire(): Promise<void> {
    if (this.inFlight > 0) await new Promise<void>((resolve) => (this.onDrained = resolve));
    await this.snapshot.close();
  }
}

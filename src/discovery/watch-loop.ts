import { setTimeout as sleep } from "node:timers/promises";
import type { Backoff } from "./backoff.ts";
import type { Watch } from "./source.ts";

/**
 * One connection to a source: runs until it breaks, and throws then.
 * @param contact to be called whenever what is known is known to be current
 */
export type Connect = (signal: AbortSignal, contact: () => void) => Promise<never>;

/** Keeps a watch alive: connects, and when that breaks, waits and connects again, until closed. */
export class WatchLoop implements Watch {
  readonly ready: Promise<void>;
  private readonly controller = new AbortController();
  private readonly backoff: Backoff;
  private readonly connect: Connect;
  private resolveReady: () => void = () => {};
  private isInTouch = false;
  private lastContactMs = Number.NaN;

  constructor(backoff: Backoff, connect: Connect) {
    this.backoff = backoff;
    this.connect = connect;
    this.ready = new Promise((resolve) => {
      this.resolveReady = resolve;
    });
    void this.run();
  }

  ageMs(): number {
    return this.isInTouch ? 0 : performance.now() - this.lastContactMs;
  }

  close(): void {
    this.controller.abort();
    this.resolveReady();
  }

  private async run(): Promise<void> {
    const { signal } = this.controller;
    while (!signal.aborted) {
      try {
        await this.connect(signal, () => this.contact());
      } catch {
        // What went wrong shows as the age of what is known; a source that is away is no fault of the request at hand.
      }
      if (this.isInTouch) this.lastContactMs = performance.now();
      this.isInTouch = false;
      this.resolveReady();
      await sleep(this.backoff.nextMs(), undefined, { signal, ref: false }).catch(() => {});
    }
  }

  private contact(): void {
    this.isInTouch = true;
    this.backoff.reset();
    this.resolveReady();
  }
}

import type { Clock } from "../../src/core/clock.ts";

export const MANUAL_START_MS = 1_000_000;

/** A clock that stands still until it is told to move. */
export class ManualClock implements Clock {
  private now = MANUAL_START_MS;
  private timers: { atMs: number; callback: () => void }[] = [];

  nowMs(): number {
    return this.now;
  }

  monotonicMs(): number {
    return this.now;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.now + delayMs, callback };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  /** Moves on, and runs what falls due on the way, in its order. */
  advance(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const due = this.timers.filter(({ atMs }) => atMs <= end).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.timers = this.timers.filter((timer) => timer !== due);
      this.now = Math.max(this.now, due.atMs);
      due.callback();
    }
    this.now = end;
  }
}

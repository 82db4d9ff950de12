/** Time as an argument, so that tests need not wait. */
export interface Clock {
  /** Milliseconds since 1970, for dates in messages; it can jump. */
  nowMs(): number;
  /** Milliseconds that never go back, for durations and leases. */
  monotonicMs(): number;
  /** Calls back once after `delayMs`; the timer never keeps the process alive. @returns cancels */
  after(delayMs: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

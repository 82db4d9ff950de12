/** How often the delay of the event loop is looked at. */
const TICK_MS = 50;

export interface OverloadOptions {
  /** Requests in work at once. */
  readonly maxInFlight: number;
  /** By how much a timer may be late. */
  readonly maxDelayMs: number;
}

/**
 * Tells when further requests must be turned away so that those in work keep their time: by how many there are and by
 * how late the event loop runs.
 */
export class Overload {
  private readonly options: OverloadOptions;
  private readonly timer: NodeJS.Timeout;
  private inFlight = 0;
  private delayMs = 0;
  private expectedAtMs = performance.now() + TICK_MS;

  constructor(options: OverloadOptions) {
    this.options = options;
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.timer.unref();
  }

  enter(): void {
    this.inFlight++;
  }

  leave(): void {
    this.inFlight--;
  }

  isShedding(): boolean {
    return this.inFlight > this.options.maxInFlight || this.delayMs > this.options.maxDelayMs;
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** A moving mean over some ten ticks: one long task of a plugin is no overload. */
  private tick(): void {
    const now = performance.now();
    const late = Math.max(0, now - this.expectedAtMs);
    this.delayMs += (late - this.delayMs) * 0.2;
    this.expectedAtMs = now + TICK_MS;
  }
}

import type { ConcurrencyOptions } from "./options.ts";

/** How many requests a service is given at once: a number, or what its latency shows it can take. */
export interface ConcurrencyLimit {
  readonly limit: number;
  /** @param inFlight when the try began to be answered */
  observe(latencyMs: number, inFlight: number, failed: boolean): void;
}

export function createConcurrencyLimit(options: ConcurrencyOptions): ConcurrencyLimit | undefined {
  if (options.adaptive === true) return new GradientLimit(options);
  return options.limit === undefined ? undefined : { limit: options.limit, observe() {} };
}

/** Tries that make one step of the limit. */
const SAMPLES = 50;
const TOLERANCE = 1.5;
const SMOOTHING = 0.2;

/**
 * Netflix's Gradient2: the limit follows the ratio of the long-term latency to that of the last tries, plus room for a
 * queue of its square root; a failure counts as a latency at its worst.
 */
class GradientLimit implements ConcurrencyLimit {
  private estimate: number;
  private readonly minimum: number;
  private readonly maximum: number;
  private longMs = -1;
  private sumMs = 0;
  private samples = 0;
  private failed = 0;
  private busiest = 0;

  constructor(options: ConcurrencyOptions) {
    this.minimum = options.minimum ?? 5;
    this.maximum = options.maximum ?? 1_000;
    this.estimate = Math.min(this.maximum, Math.max(this.minimum, options.limit ?? 20));
  }

  get limit(): number {
    return Math.floor(this.estimate);
  }

  observe(latencyMs: number, inFlight: number, failed: boolean): void {
    this.samples++;
    if (failed) this.failed++;
    else this.sumMs += latencyMs;
    if (inFlight > this.busiest) this.busiest = inFlight;
    if (this.samples < SAMPLES) return;
    this.step();
    this.sumMs = 0;
    this.samples = 0;
    this.failed = 0;
    this.busiest = 0;
  }

  private step(): void {
    const answered = this.samples - this.failed;
    if (this.failed * 2 >= this.samples) {
      this.move(this.estimate / 2);
      return;
    }
    const shortMs = Math.max(0.001, this.sumMs / answered);
    if (this.longMs < 0) this.longMs = shortMs;
    // Twice as slow as it is now: the past was an overload, so it is forgotten faster.
    const past = this.longMs / shortMs > 2 ? this.longMs * 0.95 : this.longMs;
    this.longMs = past * 0.99 + shortMs * 0.01;
    const gradient = Math.max(0.5, Math.min(1, (TOLERANCE * this.longMs) / shortMs));
    // Far from the limit nothing is learnt of it: it would grow without end.
    if (gradient === 1 && this.busiest < this.estimate / 2) return;
    this.move(this.estimate * gradient + Math.sqrt(this.estimate));
  }

  private move(target: number): void {
    const next = this.estimate * (1 - SMOOTHING) + target * SMOOTHING;
    this.estimate = Math.max(this.minimum, Math.min(this.maximum, next));
  }
}

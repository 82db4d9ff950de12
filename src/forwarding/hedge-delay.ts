import type { HedgeOptions } from "./options.ts";

/** Latencies that are remembered, and after how many new ones the percentile is looked up anew. */
const KEPT = 256;
const EVERY = 32;
/** Before so many are known, and where nothing else is said. */
const FIRST_MS = 100;

/** How long a request may take before a second instance is asked: a fixed time, or what most requests took lately. */
export class HedgeDelay {
  private readonly share: number | undefined;
  private readonly leastMs: number;
  private readonly latencies = new Float64Array(KEPT);
  private count = 0;
  private delayMs: number;

  constructor({ afterMs, percentile }: HedgeOptions) {
    this.share = percentile === undefined ? undefined : percentile / 100;
    this.leastMs = percentile === undefined ? 0 : (afterMs ?? 1);
    this.delayMs = afterMs ?? FIRST_MS;
  }

  get currentMs(): number {
    return this.delayMs;
  }

  /** Takes how long a try took, or had taken when it was overtaken: left out, what is slow would look quick. */
  observe(latencyMs: number): void {
    const { share } = this;
    if (share === undefined) return;
    this.latencies[this.count++ % KEPT] = latencyMs;
    if (this.count % EVERY !== 0) return;
    const known = this.latencies.slice(0, Math.min(this.count, KEPT)).sort();
    this.delayMs = Math.max(
      this.leastMs,
      known[Math.min(known.length - 1, Math.floor(known.length * share))] as number,
    );
  }
}

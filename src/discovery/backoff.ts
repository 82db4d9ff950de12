/** Waits that double from `firstMs` to `mostMs`, each anywhere between half and the whole: many clients must not come back as one. */
export class Backoff {
  private readonly firstMs: number;
  private readonly mostMs: number;
  private tries = 0;

  constructor(firstMs = 100, mostMs = 5_000) {
    this.firstMs = firstMs;
    this.mostMs = mostMs;
  }

  nextMs(): number {
    const whole = Math.min(this.mostMs, this.firstMs * 2 ** this.tries++);
    return whole * (0.5 + Math.random() / 2);
  }

  reset(): void {
    this.tries = 0;
  }
}

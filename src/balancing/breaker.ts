import type { Clock } from "../core/clock.ts";
import { parsePercent } from "../core/units.ts";
import type { BreakerOptions } from "./options.ts";

const BUCKETS = 10;

/**
 * Opens when too many of the last tries failed, lets a few probes through after a while, and closes when they succeed.
 * Counts stand in a ring of buckets: nothing is allocated for a request.
 */
export class Breaker {
  state: "closed" | "open" | "half-open" = "closed";
  /** When it will let probes through. */
  opensUntilMs = 0;
  private readonly clock: Clock;
  private readonly onChange: () => void;
  private readonly failureRate: number;
  private readonly minimumRequests: number;
  private readonly bucketMs: number;
  private readonly openMs: number;
  private readonly probes: number;
  private readonly requests = new Uint32Array(BUCKETS);
  private readonly failures = new Uint32Array(BUCKETS);
  private bucket = 0;
  private bucketEndsMs = 0;
  private underWay = 0;
  private succeeded = 0;
  private cancelTimer: (() => void) | undefined = undefined;

  constructor(options: BreakerOptions, clock: Clock, onChange: () => void) {
    this.clock = clock;
    this.onChange = onChange;
    this.failureRate = parsePercent(options.failureRate ?? "50%");
    this.minimumRequests = options.minimumRequests ?? 20;
    this.bucketMs = (options.windowMs ?? 10_000) / BUCKETS;
    this.openMs = options.openMs ?? 5_000;
    this.probes = options.probes ?? 3;
  }

  /** Asks for one try; a true one is followed by exactly one `leave`. */
  enter(): boolean {
    if (this.state === "closed") return true;
    if (this.state === "open" || this.underWay >= this.probes) return false;
    this.underWay++;
    return true;
  }

  /** @param failed undefined when the try says nothing, as when the client went away */
  leave(failed: boolean | undefined): void {
    if (this.state === "half-open") this.leaveProbe(failed);
    else if (this.state === "closed" && failed !== undefined) this.count(failed);
  }

  close(): void {
    this.cancelTimer?.();
  }

  private leaveProbe(failed: boolean | undefined): void {
    // A try that was under way when it opened is not a probe.
    if (this.underWay > 0) this.underWay--;
    if (failed === undefined) return;
    if (failed) this.open();
    else if (++this.succeeded >= this.probes) this.reset();
  }

  private count(failed: boolean): void {
    this.turnBuckets();
    this.requests[this.bucket] = (this.requests[this.bucket] as number) + 1;
    if (!failed) return;
    this.failures[this.bucket] = (this.failures[this.bucket] as number) + 1;
    let requests = 0;
    let failures = 0;
    for (let i = 0; i < BUCKETS; i++) {
      requests += this.requests[i] as number;
      failures += this.failures[i] as number;
    }
    if (requests >= this.minimumRequests && failures >= requests * this.failureRate) this.open();
  }

  private turnBuckets(): void {
    const now = this.clock.monotonicMs();
    if (now < this.bucketEndsMs) return;
    const passed = Math.min(BUCKETS, 1 + Math.floor((now - this.bucketEndsMs) / this.bucketMs));
    for (let i = 0; i < passed; i++) {
      this.bucket = (this.bucket + 1) % BUCKETS;
      this.requests[this.bucket] = 0;
      this.failures[this.bucket] = 0;
    }
    this.bucketEndsMs = now + this.bucketMs;
  }

  private open(): void {
    this.state = "open";
    this.opensUntilMs = this.clock.monotonicMs() + this.openMs;
    this.cancelTimer?.();
    this.cancelTimer = this.clock.after(this.openMs, () => {
      this.state = "half-open";
      this.underWay = 0;
      this.succeeded = 0;
      this.onChange();
    });
    this.onChange();
  }

  private reset(): void {
    this.state = "closed";
    this.requests.fill(0);
    this.failures.fill(0);
    this.onChange();
  }
}

import type { Clock } from "../core/clock.ts";

const SECONDS = 10;
const MINIMUM_EACH_SECOND = 3;

/**
 * Keeps retries to a share of the requests of the last ten seconds, so that a service in trouble is not asked ever more;
 * three a second are always free, so that a quiet service has its retries too. Finagle's budget.
 */
export class RetryBudget {
  private readonly clock: Clock;
  private readonly requests = new Uint32Array(SECONDS);
  private readonly retries = new Uint32Array(SECONDS);
  private second = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Counts a request. @param nowMs monotonic */
  countRequest(nowMs: number): void {
    this.turn(nowMs);
    const at = this.second % SECONDS;
    this.requests[at] = (this.requests[at] as number) + 1;
  }

  /** Takes one retry. @param share of the requests, 0 to 1 @returns false when there is none left */
  take(share: number): boolean {
    this.turn(this.clock.monotonicMs());
    let requests = 0;
    let retries = 0;
    for (let i = 0; i < SECONDS; i++) {
      requests += this.requests[i] as number;
      retries += this.retries[i] as number;
    }
    if (retries >= requests * share + MINIMUM_EACH_SECOND * SECONDS) return false;
    const at = this.second % SECONDS;
    this.retries[at] = (this.retries[at] as number) + 1;
    return true;
  }

  private turn(nowMs: number): void {
    const second = Math.floor(nowMs / 1_000);
    if (second <= this.second) return;
    for (let passed = Math.max(this.second + 1, second - SECONDS + 1); passed <= second; passed++) {
      this.requests[passed % SECONDS] = 0;
      this.retries[passed % SECONDS] = 0;
    }
    this.second = second;
  }
}

/** What each algorithm of rate-limit should say, in the plainest way: every request that passed is remembered. */
export interface ModelLimit {
  readonly count: number;
  readonly windowMs: number;
  readonly burst: number;
}
interface Passed {
  readonly atMs: number;
  readonly cost: number;
}

type Allows = (limit: ModelLimit, passed: readonly Passed[], nowMs: number, cost: number) => boolean;

const sumIn = (passed: readonly Passed[], window: number, windowMs: number): number =>
  passed.filter(({ atMs }) => Math.floor(atMs / windowMs) === window).reduce((sum, { cost }) => sum + cost, 0);

/** Tokens come back evenly, never more than the burst. */
const bucket: Allows = ({ count, windowMs, burst }, passed, nowMs, cost) => {
  let tokens = burst;
  let atMs = passed[0]?.atMs ?? nowMs;
  for (const each of passed) {
    tokens = Math.min(burst, tokens + ((each.atMs - atMs) * count) / windowMs) - each.cost;
    atMs = each.atMs;
  }
  return Math.min(burst, tokens + ((nowMs - atMs) * count) / windowMs) >= cost - 1e-6;
};

const MODELS: Readonly<Record<string, Allows>> = {
  gcra: bucket,
  "token-bucket": bucket,
  "fixed-window": ({ count, windowMs }, passed, nowMs, cost) =>
    sumIn(passed, Math.floor(nowMs / windowMs), windowMs) + cost <= count,
  "sliding-window": ({ count, windowMs }, passed, nowMs, cost) => {
    const window = Math.floor(nowMs / windowMs);
    const left = 1 - (nowMs / windowMs - window);
    return sumIn(passed, window - 1, windowMs) * left + sumIn(passed, window, windowMs) + cost <= count + 1e-6;
  },
};

/** Several limits at once: a request counts for all of them, or, refused by one, for none. */
export class LimitModel {
  private readonly passed: Passed[] = [];
  private readonly algorithm: string;
  private readonly limits: readonly ModelLimit[];

  constructor(algorithm: string, limits: readonly ModelLimit[]) {
    this.algorithm = algorithm;
    this.limits = limits;
  }

  take(nowMs: number, cost: number): boolean {
    const allows = MODELS[this.algorithm] as Allows;
    const isAllowed = this.limits.every((limit) => allows(limit, this.passed, nowMs, cost));
    if (isAllowed) this.passed.push({ atMs: nowMs, cost });
    return isAllowed;
  }
}

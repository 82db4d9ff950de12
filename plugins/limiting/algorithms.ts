/** One limit: `count` requests in each `windowMs`, of which `burst` may come at once. */
export interface Limit {
  /** As it is told to clients. */
  readonly name: string;
  readonly count: number;
  readonly windowMs: number;
  readonly burst: number;
}

/**
 * How a limit is counted: on `width` numbers of a key, all 0 for a new one.
 * `waitMs` decides and changes nothing, so that several limits are asked before any of them counts.
 */
export interface Algorithm {
  readonly width: number;
  /** @returns 0 when a request of that cost may pass; else how long until it may, Infinity when never */
  waitMs(limit: Limit, values: Float64Array, at: number, nowMs: number, cost: number): number;
  count(limit: Limit, values: Float64Array, at: number, nowMs: number, cost: number): void;
  /** Requests of cost 1 that may still come at once. */
  remaining(limit: Limit, values: Float64Array, at: number, nowMs: number): number;
  /** When the numbers say no more than those of a new key would. */
  expiryMs(limit: Limit, values: Float64Array, at: number): number;
}

/** Sums of fractions of a request are not exact: less than this is none. */
const EPSILON = 1e-6;
/** The same of points in time: a sum of them is known to a thousandth of a millisecond, and less well the later it is. */
const EPSILON_MS = 0.01;

/**
 * The generic cell rate algorithm: one number, the time at which the whole burst would be back.
 * The whole burst may come at once, then requests pass evenly. Nothing resets at an edge, so nothing can be gained there.
 * Source: ITU-T I.371, virtual scheduling.
 */
const gcra: Algorithm = {
  width: 1,
  waitMs({ count, windowMs, burst }, values, at, nowMs, cost) {
    if (cost > burst) return Number.POSITIVE_INFINITY;
    const intervalMs = windowMs / count;
    const wait = Math.max(0, (values[at] as number) - nowMs) + (cost - burst) * intervalMs;
    return wait <= EPSILON_MS ? 0 : wait;
  },
  count({ count, windowMs }, values, at, nowMs, cost) {
    values[at] = Math.max(values[at] as number, nowMs) + (cost * windowMs) / count;
  },
  remaining({ count, windowMs, burst }, values, at, nowMs) {
    const owedMs = Math.max(0, (values[at] as number) - nowMs);
    return Math.max(0, Math.floor(burst - (owedMs * count) / windowMs + EPSILON));
  },
  expiryMs: (_limit, values, at) => values[at] as number,
};

/** Tokens taken, and when that was written: they come back evenly. */
const tokenBucket: Algorithm = {
  width: 2,
  waitMs(limit, values, at, nowMs, cost) {
    if (cost > limit.burst) return Number.POSITIVE_INFINITY;
    const missing = taken(limit, values, at, nowMs) + cost - limit.burst;
    return missing <= EPSILON ? 0 : (missing * limit.windowMs) / limit.count;
  },
  count(limit, values, at, nowMs, cost) {
    values[at] = taken(limit, values, at, nowMs) + cost;
    values[at + 1] = nowMs;
  },
  remaining: (limit, values, at, nowMs) =>
    Math.max(0, Math.floor(limit.burst - taken(limit, values, at, nowMs) + EPSILON)),
  expiryMs: ({ count, windowMs }, values, at) =>
    (values[at + 1] as number) + ((values[at] as number) * windowMs) / count,
};

const taken = ({ count, windowMs }: Limit, values: Float64Array, at: number, nowMs: number): number =>
  Math.max(0, (values[at] as number) - ((nowMs - (values[at + 1] as number)) * count) / windowMs);

/** The number of the window, and what came in it. Cheap to explain; twice the count can pass around an edge. */
const fixedWindow: Algorithm = {
  width: 2,
  waitMs({ count, windowMs }, values, at, nowMs, cost) {
    if (cost > count) return Number.POSITIVE_INFINITY;
    const window = Math.floor(nowMs / windowMs);
    const used = values[at] === window ? (values[at + 1] as number) : 0;
    return used + cost <= count ? 0 : (window + 1) * windowMs - nowMs;
  },
  count({ windowMs }, values, at, nowMs, cost) {
    const window = Math.floor(nowMs / windowMs);
    values[at + 1] = (values[at] === window ? (values[at + 1] as number) : 0) + cost;
    values[at] = window;
  },
  remaining({ count, windowMs }, values, at, nowMs) {
    const used = values[at] === Math.floor(nowMs / windowMs) ? (values[at + 1] as number) : 0;
    return Math.max(0, count - used);
  },
  expiryMs: ({ windowMs }, values, at) => ((values[at] as number) + 1) * windowMs,
};

/** The number of the window, what came in it and what came in the one before, which counts by the share of it that is still in sight. */
const slidingWindow: Algorithm = {
  width: 3,
  waitMs({ count, windowMs }, values, at, nowMs, cost) {
    if (cost > count) return Number.POSITIVE_INFINITY;
    const window = Math.floor(nowMs / windowMs);
    const passed = nowMs / windowMs - window;
    const current = inWindow(values, at, window);
    const previous = inWindow(values, at, window - 1);
    const room = count - cost;
    if (previous * (1 - passed) + current <= room + EPSILON) return 0;
    // Either enough of the previous window goes out of sight, or the current one becomes it and has to.
    const share = current <= room ? 1 - (room - current) / previous : 2 - room / current;
    return (share - passed) * windowMs;
  },
  count({ windowMs }, values, at, nowMs, cost) {
    const window = Math.floor(nowMs / windowMs);
    const current = inWindow(values, at, window);
    const previous = inWindow(values, at, window - 1);
    values[at] = window;
    values[at + 1] = current + cost;
    values[at + 2] = previous;
  },
  remaining({ count, windowMs }, values, at, nowMs) {
    const window = Math.floor(nowMs / windowMs);
    const seen = inWindow(values, at, window - 1) * (window + 1 - nowMs / windowMs) + inWindow(values, at, window);
    return Math.max(0, Math.floor(count - seen + EPSILON));
  },
  expiryMs: ({ windowMs }, values, at) => ((values[at] as number) + 2) * windowMs,
};

function inWindow(values: Float64Array, at: number, window: number): number {
  if (values[at] === window) return values[at + 1] as number;
  return values[at] === window + 1 ? (values[at + 2] as number) : 0;
}

export const ALGORITHMS = {
  gcra,
  "sliding-window": slidingWindow,
  "fixed-window": fixedWindow,
  "token-bucket": tokenBucket,
} as const;
export type AlgorithmName = keyof typeof ALGORITHMS;

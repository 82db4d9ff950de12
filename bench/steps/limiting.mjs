import { RateLimiterMemory } from "rate-limiter-flexible";
import { ALGORITHMS } from "../../dist/plugins/limiting/algorithms.js";
import { LocalLimiter } from "../../dist/plugins/limiting/limiter.js";

const limits = [{ name: "100/min", count: 100, windowMs: 60_000, burst: 100 }];
const MILLION = 1_000_000;

/** The text of a key is made for each call, as it is for each request: it is in no cache yet, and no hash of it is known. */
const nameOf = (i, keys) => `c:consumer-${(i * 7919) % keys}`;

export async function run({ time, row }) {
  for (const keys of [1_000, MILLION]) {
    const limiter = new LocalLimiter(limits, ALGORITHMS.gcra, MILLION);
    for (let i = 0; i < keys; i++) limiter.take(nameOf(i, keys), 1, 0);
    const bar = keys === MILLION ? " (bar 500)" : "";
    time(`rate limit, ${keys.toLocaleString("en")} keys${bar}`, 500_000, (i) =>
      limiter.take(nameOf(i, keys), 1, i / 10),
    );
    if (keys === MILLION) row("rate limit: bytes a key at 1,000,000 keys (bar 150)", limiter.bytes / limiter.size);
  }
  const map = new Map();
  for (let i = 0; i < MILLION; i++) map.set(nameOf(i, MILLION), { atMs: 0 });
  time("to compare: found and changed in a Map of as many", 500_000, (i) => {
    map.get(nameOf(i, MILLION)).atMs = i;
  });
  const flexible = new RateLimiterMemory({ points: 100, duration: 60 });
  const from = process.hrtime.bigint();
  for (let i = 0; i < 200_000; i++) await flexible.consume(`consumer-${i % 1000}`, 0);
  row("to compare: rate-limiter-flexible in memory, 1,000 keys", Number(process.hrtime.bigint() - from) / 200_000);
}

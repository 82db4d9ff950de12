import { RateLimiterMemory } from "rate-limiter-flexible";
import { ALGORITHMS } from "../../dist/plugins/limiting/algorithms.js";
import { LocalLimiter } from "../../dist/plugins/limiting/limiter.js";

const limits = [{ count: 100, windowMs: 60_000, burst: 100 }];

export async function run({ time, row }) {
  for (const keys of [1_000, 1_000_000]) {
    const names = Array.from({ length: keys }, (_, i) => `consumer-${i}`);
    const limiter = new LocalLimiter(limits, ALGORITHMS.gcra, 1_000_000);
    for (const name of names) limiter.take(name, 1, 0);
    time(`rate limit, ${keys.toLocaleString("en")} keys`, 500_000, (i) => limiter.take(names[(i * 7919) % keys], 1, i));
    if (keys === 1_000_000)
      row(`rate limit: bytes a key at ${keys.toLocaleString("en")} keys`, limiter.bytes / limiter.size);
  }
  const flexible = new RateLimiterMemory({ points: 100, duration: 60 });
  const from = process.hrtime.bigint();
  for (let i = 0; i < 200_000; i++) await flexible.consume(`consumer-${i % 1000}`, 0);
  row("rate-limiter-flexible in memory, 1,000 keys", Number(process.hrtime.bigint() - from) / 200_000);
}

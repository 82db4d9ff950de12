// What single steps of the request path cost, as nanoseconds a call: the best of several rounds. `node micro.mjs`
import { RateLimiterMemory } from "rate-limiter-flexible";
import { ALGORITHMS } from "../dist/plugins/limiting/algorithms.js";
import { LocalLimiter } from "../dist/plugins/limiting/limiter.js";
import { Service } from "../dist/src/balancing/service.js";
import { systemClock } from "../dist/src/core/clock.js";
import { Router } from "../dist/src/routing/router.js";

const rows = [];
function time(name, calls, run) {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 7; round++) {
    const from = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) run(i);
    best = Math.min(best, Number(process.hrtime.bigint() - from) / calls);
  }
  rows.push([name, best]);
}

const operation = (path) => ({
  method: "GET",
  path,
  publicPath: path,
  parameters: [],
  servers: [],
  location: { file: "bench" },
});
for (const count of [10, 10_000]) {
  const router = new Router();
  for (let i = 0; i < count; i++) router.add([], operation(`/service${i}/things/{id}/parts/{part}`), i);
  time(`match one of ${count.toLocaleString("en")} operations`, 200_000, (i) =>
    router.match("localhost", "GET", `/service${i % 10}/things/42/parts/7`),
  );
}

const limits = [{ count: 100, windowMs: 60_000, burst: 100 }];
for (const keys of [1_000, 1_000_000]) {
  const names = Array.from({ length: keys }, (_, i) => `consumer-${i}`);
  const limiter = new LocalLimiter(limits, ALGORITHMS.gcra, 1_000_000);
  for (const name of names) limiter.take(name, 1, 0);
  time(`rate limit, ${keys.toLocaleString("en")} keys`, 500_000, (i) => limiter.take(names[(i * 7919) % keys], 1, i));
  if (keys === 1_000_000)
    rows.push([`rate limit: bytes a key at ${keys.toLocaleString("en")} keys`, limiter.bytes / limiter.size]);
}
const flexible = new RateLimiterMemory({ points: 100, duration: 60 });
const from = process.hrtime.bigint();
for (let i = 0; i < 200_000; i++) await flexible.consume(`consumer-${i % 1000}`, 0);
rows.push(["rate-limiter-flexible in memory, 1,000 keys", Number(process.hrtime.bigint() - from) / 200_000]);

const exchange = {
  request: { headers: { get: () => undefined } },
  client: { address: "127.0.0.1" },
  pathParameters: {},
};
for (const policy of ["round-robin", "least-busy", "peak-ewma"]) {
  const service = new Service("bench", { policy }, systemClock);
  service.update(
    Array.from({ length: 1000 }, (_, i) => ({
      id: String(i),
      url: `http://127.0.0.1:${1000 + i}`,
      weight: 1,
      status: "up",
    })),
  );
  time(`pick of 1,000 instances, ${policy}`, 500_000, () => service.pick(exchange, []));
}

console.log("\n## Single steps\n\n| what | ns |\n| --- | ---: |");
for (const [name, nanos] of rows) console.log(`| ${name} | ${nanos.toFixed(0)} |`);
process.exit(0);

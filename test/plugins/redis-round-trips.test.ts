import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { RedisLimiter } from "../../plugins/limiting/redis-limiter.ts";
import { systemClock } from "../../src/core/clock.ts";
import { createRedisState } from "../../src/storage/redis-state.ts";
import { listen } from "../support/plugin-gateway.ts";
import { redisMissing, startRedisServer } from "../support/redis-server.ts";

const LIMITS = [
  { name: "10/s", count: 10, windowMs: 1_000, burst: 10 },
  { name: "50/day", count: 50, windowMs: 86_400_000, burst: 50 },
  { name: "1000/day", count: 1_000, windowMs: 86_400_000, burst: 1_000 },
];
const log = { warn: () => {}, info: () => {} };

/** Stands between a gateway and Redis, and writes down what is said to Redis, as it arrives. */
async function listenIn(t: TestContext, url: string): Promise<{ url: string; heard: string[] }> {
  const heard: string[] = [];
  const server = createServer((client) => {
    const redis = connect(Number(new URL(url).port), "127.0.0.1");
    client.on("data", (chunk) => heard.push(String(chunk)));
    client.pipe(redis).pipe(client);
    client.on("error", () => redis.destroy());
    redis.on("error", () => client.destroy());
  });
  const listening = await listen(server);
  t.after(() => server.close());
  return { url: listening.replace("http:", "redis:"), heard };
}

test("several limits are one command, and what comes at once goes to Redis in one write", {
  skip: redisMissing() ?? false,
}, async (t) => {
  const redis = await startRedisServer(t);
  const { url, heard } = await listenIn(t, redis.url);
  const store = createRedisState(url, systemClock, log, 60_000);
  t.after(() => store.close());
  const runScript = store.runScript?.bind(store);
  assert.ok(runScript !== undefined);
  const limiter = new RedisLimiter(runScript, "here", LIMITS, "gcra");
  // The first tells Redis the script.
  await limiter.take("c:first", 1);
  heard.length = 0;
  const verdicts = await Promise.all(Array.from({ length: 200 }, () => limiter.take("c:ada", 1)));
  assert.equal(verdicts.filter(({ waitMs }) => waitMs === 0).length, 10, "the least of the limits holds, exactly");
  const commands = heard.join("").match(/evalsha/gi)?.length;
  assert.equal(commands, 200, "one command for three limits");
  // A write of some 60 KB may arrive in pieces.
  assert.ok(heard.length <= 20, `200 limits in ${heard.length} pieces`);
});

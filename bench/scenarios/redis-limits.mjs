import { spawn, spawnSync } from "node:child_process";

import { RateLimiterRedis } from "rate-limiter-flexible";
import { RedisLimiter } from "../../dist/plugins/limiting/redis-limiter.js";
import { systemClock } from "../../dist/src/core/clock.js";
import { createRedisState } from "../../dist/src/storage/redis-state.js";
import { Redis } from "../../node_modules/ioredis/built/index.js";
import { word } from "../compare.mjs";

const PORT = 16_379;
const CALLS = 20_000;
const AT_ONCE = 64;
const ROUNDS = 5;
const log = { warn() {}, info() {} };

/** Limits that several gateways share: what one costs this process, and the commands that it sends for it. */
export const scenario = {
  name: "redis-limits",
  title: "Limits in Redis: 64 requests at a time, each under two limits",
  async run({ say }) {
    if (spawnSync("redis-server", ["--version"]).status !== 0) {
      say("Not measured: redis-server is not installed.");
      return;
    }
    const server = spawn("redis-server", ["--port", String(PORT), "--save", "", "--appendonly", "no"]);
    try {
      await ready(server);
      await measure(say);
    } finally {
      server.kill();
    }
  },
};

async function measure(say) {
  const url = `redis://127.0.0.1:${PORT}`;
  const store = createRedisState(url, systemClock, log, 10_000);
  const limits = [
    { name: "1000000/s", count: 1e6, windowMs: 1_000, burst: 1e6 },
    { name: "100000000/day", count: 1e8, windowMs: 86_400_000, burst: 1e8 },
  ];
  const ours = new RedisLimiter(store.runScript, "bench", limits, "gcra");
  const clients = [new Redis(url, { enableAutoPipelining: true }), new Redis(url, { enableAutoPipelining: true })];
  const [second, day] = clients.map(
    (storeClient, i) =>
      new RateLimiterRedis({ storeClient, points: 1e8, duration: i === 0 ? 1 : 86_400, keyPrefix: `peer${i}` }),
  );
  const ways = {
    "Portico, both in one command": (i) => ours.take(`c:${i % 1_000}`, 1),
    "rate-limiter-flexible, one after the other": async (i) => {
      await second.consume(`${i % 1_000}`);
      await day.consume(`${i % 1_000}`);
    },
  };
  const probe = new Redis(url);
  const rows = Object.fromEntries(Object.keys(ways).map((name) => [name, { micros: [], commands: 0 }]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, take] of Object.entries(ways)) {
      const before = await commandsOf(probe);
      const from = process.cpuUsage();
      for (let i = 0; i < CALLS; i += AT_ONCE) {
        await Promise.all(Array.from({ length: AT_ONCE }, (_, j) => take(i + j)));
      }
      const { user, system } = process.cpuUsage(from);
      if (round === 0) continue;
      rows[name].micros.push((user + system) / CALLS);
      rows[name].commands = ((await commandsOf(probe)) - before) / CALLS;
    }
  }
  say("| limiter | CPU µs/request of this process | round trips |");
  say("| --- | ---: | ---: |");
  for (const [name, { micros, commands }] of Object.entries(rows)) {
    micros.sort((a, b) => a - b);
    say(`| ${name} | ${micros[ROUNDS >> 1].toFixed(1)} | ${commands.toFixed(2)} |`);
  }
  const [{ commands, micros }, peer] = Object.values(rows);
  const isReached = commands < 1.1 && micros[ROUNDS >> 1] <= peer.micros[ROUNDS >> 1];
  say(`\n${word(isReached)}: ${commands.toFixed(2)} round trips for two limits, where 1 is the bar.`);
  for (const client of [...clients, probe]) client.disconnect();
  await store.close();
}

/** Scripts that Redis has run. */
async function commandsOf(probe) {
  const calls = /cmdstat_evalsha:calls=(\d+)/.exec(await probe.info("commandstats"));
  return Number(calls?.[1] ?? 0);
}

function ready(server) {
  return new Promise((resolve, reject) => {
    let said = "";
    server.stdout.on("data", (chunk) => {
      said += chunk;
      if (said.includes("Ready to accept connections")) resolve();
    });
    server.once("exit", () => reject(new Error("redis-server ended")));
  });
}

import { Redis } from "ioredis";

/** It tries again for ever, at most two seconds apart, and never makes a command wait for that. */
export function connect(url: string): Redis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 1000,
    commandTimeout: 100,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 6), 2000),
  });
  // Told to nobody here: an unheard "error" would end the process, and each command says what it needs to.
  redis.on("error", () => {});
  return redis;
}

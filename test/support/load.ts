import { Agent, request } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { channels, type UpstreamTry } from "../../src/core/channels.ts";

/** What became of one request under load. */
export interface Shot {
  readonly startedAtMs: number;
  readonly latencyMs: number;
  /** 0 when there was no answer. */
  readonly status: number;
  readonly instance: string | undefined;
}

export interface Load {
  readonly shots: readonly Shot[];
  /** Stops, and waits for the answers that are still out. */
  stop(): Promise<readonly Shot[]>;
}

const MOST_OPEN = 150;

/** Sends requests at an even rate, whatever the answers do, as clients outside do. */
export function startLoad(url: string, perSecond: number): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: 512 });
  const shots: Shot[] = [];
  const open = new Set<Promise<void>>();
  const startedAtMs = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAtMs) * perSecond) / 1_000);
    for (; sent < due; sent++) {
      // A machine that cannot keep up is asked less, not ever more.
      if (open.size >= MOST_OPEN) continue;
      const one = shoot(url, agent).then((shot) => {
        shots.push(shot);
        open.delete(one);
      });
      open.add(one);
    }
  }, 5);
  return {
    shots,
    async stop() {
      clearInterval(timer);
      await Promise.all(open);
      agent.destroy();
      return shots;
    },
  };
}

function shoot(url: string, agent: Agent): Promise<Shot> {
  const startedAtMs = performance.now();
  return new Promise((resolve) => {
    const end = (status: number, instance: string | undefined): void =>
      resolve({ startedAtMs, latencyMs: performance.now() - startedAtMs, status, instance });
    request(url, { agent }, (response) => {
      response.resume();
      response.once("end", () => end(response.statusCode ?? 0, String(response.headers["x-instance"])));
      response.once("error", () => end(0, undefined));
    })
      .once("error", () => end(0, undefined))
      .end();
  });
}

/** Every try the gateway of this process makes, with its time, until stopped. */
export function watchTries(): { tries: { atMs: number; url: string; kind: string; status: number }[]; stop(): void } {
  const tries: { atMs: number; url: string; kind: string; status: number }[] = [];
  const listener = (message: unknown): void => {
    const { endpoint, outcome } = message as UpstreamTry;
    const status = outcome.kind === "response" ? outcome.status : 0;
    tries.push({ atMs: performance.now(), url: endpoint.instance.url, kind: outcome.kind, status });
  };
  channels.upstreamTry.subscribe(listener);
  return { tries, stop: () => channels.upstreamTry.unsubscribe(listener) };
}

/** Waits until it holds. @throws when it does not within the deadline */
export async function until(what: string, holds: () => boolean | Promise<boolean>, deadlineMs = 20_000): Promise<void> {
  const endsAtMs = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > endsAtMs) throw new Error(`still not after ${deadlineMs} ms: ${what}`);
    await wait(10);
  }
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

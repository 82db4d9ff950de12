import type { BalancingOptions } from "../../src/balancing/options.ts";
import { Service, type ServiceParts } from "../../src/balancing/service.ts";
import { Exchange } from "../../src/core/exchange.ts";
import { HeaderList } from "../../src/core/headers.ts";
import type { Endpoint, Instance, Outcome } from "../../src/core/upstream.ts";
import { MANUAL_START_MS, ManualClock } from "./manual-clock.ts";

/** A request without a socket. */
export function exchangeOf(
  parts: {
    method?: string;
    path?: string;
    query?: string;
    headers?: Record<string, string>;
    address?: string;
    startedAtMs?: number;
  } = {},
): Exchange {
  const { address = "192.0.2.1", path = "/things" } = parts;
  return new Exchange({
    id: "test",
    request: {
      method: parts.method ?? "GET",
      target: path,
      path,
      query: parts.query ?? "",
      headers: HeaderList.from(parts.headers ?? {}),
      body: null,
      httpVersion: "1.1",
      scheme: "http",
      authority: "test",
    },
    client: { address, peer: address },
    startedAtMs: parts.startedAtMs ?? MANUAL_START_MS,
  });
}

export const instanceOf = (id: string, more: Partial<Instance> = {}): Instance => ({
  id,
  url: `http://${id}.test:9000`,
  weight: 1,
  status: "up",
  ...more,
});

/** `a1 a2 …`: as many instances. */
export const instancesOf = (count: number, more: Partial<Instance> = {}): Instance[] =>
  Array.from({ length: count }, (_, i) => instanceOf(`a${i + 1}`, more));

/** A service that asks nobody: its clock stands still and every connection attempt of its own fails. */
export function serviceOf(
  instances: readonly Instance[],
  options: BalancingOptions = {},
  parts: ServiceParts = {},
): { service: Service; clock: ManualClock } {
  const clock = new ManualClock();
  const prober = { canConnect: async () => false, statusOf: async () => 0 };
  const service = new Service("things", options, { clock, prober, ...parts });
  service.update(instances);
  return { service, clock };
}

export const ANSWERED: Outcome = { kind: "response", status: 200, latencyMs: 1 };
export const FAILED: Outcome = { kind: "response", status: 500, latencyMs: 1 };

/** One whole request. @returns the id of the instance that it went to */
export function send(service: Service, exchange: Exchange = exchangeOf(), outcome: Outcome = ANSWERED): string {
  const endpoint = service.pick(exchange, []) as Endpoint;
  service.report(endpoint, outcome);
  return endpoint.instance.id;
}

/** How many of so many requests each instance got. */
export function tally(service: Service, requests: number, exchange: Exchange = exchangeOf()): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i < requests; i++) {
    const id = send(service, exchange);
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}

import { ERRORS, GatewayError } from "../core/errors.ts";
import type { Exchange, GatewayResponse, Next } from "../core/exchange.ts";
import { parsePercent } from "../core/units.ts";
import type { Balancer, Endpoint } from "../core/upstream.ts";
import { createHedgedTry } from "./hedge.ts";
import { HedgeDelay } from "./hedge-delay.ts";
import type { HedgeOptions, RetryOptions, TimeoutOptions } from "./options.ts";
import { discard, isReplayable, isUnsent } from "./replay.ts";
import { parseRetryAfter } from "./retry-after.ts";
import { TryControl, type TryOnce } from "./try.ts";
import { isUndone, TryEnded, toGatewayError } from "./try-error.ts";

export interface RetrySettings {
  readonly retries: RetryOptions;
  readonly timeouts: Pick<TimeoutOptions, "totalMs">;
  readonly hedge?: HedgeOptions | undefined;
}

const NONE: readonly Endpoint[] = [];
const MAX_BACKOFF_MS = 250;

/** Asks an instance, and another one where that is safe. */
export function createRetrying(balancer: Balancer, tryOnce: TryOnce, settings: RetrySettings): Next {
  const { retries, hedge } = settings;
  const attempts = retries.attempts ?? 2;
  const share = parsePercent(retries.budget ?? "20%");
  const statuses = new Set(retries.statuses ?? [500, 502, 503, 504]);
  const backoffMs = retries.backoffMs ?? 25;
  const ask =
    hedge === undefined
      ? tryOnce
      : createHedgedTry(balancer, tryOnce, { delay: new HedgeDelay(hedge), budgetShare: share });
  const { totalMs } = settings.timeouts;
  return totalMs === undefined ? (exchange) => forward(exchange, undefined, Number.POSITIVE_INFINITY) : forwardInTime;

  /** The plain path: one pick, one try, nothing else made or asked. */
  async function forward(
    exchange: Exchange,
    control: TryControl | undefined,
    deadlineMs: number,
  ): Promise<GatewayResponse> {
    try {
      const endpoint = pick(exchange, NONE);
      let result: GatewayResponse | Error;
      try {
        const response = await ask(exchange, endpoint, control);
        if (!statuses.has(response.status)) return response;
        result = response;
      } catch (error) {
        result = error as Error;
      }
      return await tryAgain(exchange, control, deadlineMs, [endpoint], result);
    } catch (error) {
      // Nothing further in is a plugin's: what fails here is the gateway's own fault.
      throw error instanceof GatewayError ? error : new GatewayError("INTERNAL", "the log says why", { cause: error });
    }
  }

  async function tryAgain(
    exchange: Exchange,
    control: TryControl | undefined,
    deadlineMs: number,
    tried: Endpoint[],
    first: GatewayResponse | Error,
  ): Promise<GatewayResponse> {
    let last = first;
    for (;;) {
      honourRetryAfter(exchange, last);
      if (tried.length > attempts || !isSafe(exchange, last)) break;
      if (performance.now() >= deadlineMs || !balancer.takeRetry(share)) break;
      await pause(Math.min(MAX_BACKOFF_MS, backoffMs * 2 ** (tried.length - 1)) * Math.random());
      if (exchange.isAborted || performance.now() >= deadlineMs) break;
      const endpoint = findNext(exchange, tried, last);
      if (endpoint === undefined) break;
      if (!(last instanceof Error)) discard(last);
      tried.push(endpoint);
      try {
        const response = await ask(exchange, endpoint, control);
        if (!statuses.has(response.status)) return response;
        last = response;
      } catch (error) {
        last = error as Error;
      }
    }
    if (last instanceof Error) throw toGatewayError(last);
    return last;
  }

  /** @throws GatewayError when no instance can take it */
  function pick(exchange: Exchange, tried: readonly Endpoint[]): Endpoint {
    const endpoint = balancer.pick(exchange, tried);
    if (endpoint === undefined)
      throw new GatewayError("NO_INSTANCE", "no instance of the service can take this request");
    exchange.endpoint = endpoint;
    exchange.attempts++;
    return endpoint;
  }

  /** Another instance; the same one only where it gave no answer, as a second one would hardly differ. */
  function findNext(
    exchange: Exchange,
    tried: readonly Endpoint[],
    last: GatewayResponse | Error,
  ): Endpoint | undefined {
    try {
      const other = balancer.pick(exchange, tried);
      if (other === undefined) return last instanceof Error ? pick(exchange, NONE) : undefined;
      exchange.endpoint = other;
      exchange.attempts++;
      return other;
    } catch {
      // Busy, or its breaker opened: what the last try said is the better answer.
      return undefined;
    }
  }

  function honourRetryAfter(exchange: Exchange, last: GatewayResponse | Error): void {
    if (last instanceof Error || last.status !== 503 || exchange.endpoint === undefined) return;
    const restMs = parseRetryAfter(last.headers.get("retry-after"), Date.now());
    if (restMs !== undefined && restMs > 0) balancer.rest(exchange.endpoint, restMs);
  }

  async function forwardInTime(exchange: Exchange): Promise<GatewayResponse> {
    const control = new TryControl();
    const leftMs = Math.max(0, exchange.startedAtMs + (totalMs as number) - performance.now());
    const timer = setTimeout(() => control.end(new TryEnded("timeout", `no answer within ${totalMs} ms`)), leftMs);
    try {
      return await forward(exchange, control, exchange.startedAtMs + (totalMs as number));
    } finally {
      clearTimeout(timer);
    }
  }
}

function isSafe(exchange: Exchange, last: GatewayResponse | Error): boolean {
  if (exchange.isAborted || last instanceof TryEnded) return false;
  if (!(last instanceof Error)) return isReplayable(exchange);
  if (last instanceof GatewayError && ERRORS[last.code].source !== "upstream") return false;
  return isReplayable(exchange) || (isUndone(last) && isUnsent(exchange));
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

import type { GatewayResponse } from "../core/exchange.ts";
import type { Balancer, Endpoint } from "../core/upstream.ts";
import type { HedgeDelay } from "./hedge-delay.ts";
import { discard, isReplayable } from "./replay.ts";
import { TryControl, type TryOnce } from "./try.ts";
import { TryEnded } from "./try-error.ts";

/**
 * Being overtaken by a hedge counts against an instance as a timeout does: one that hangs would otherwise never be found.
 * A quick one loses too few in a row to be put out.
 */
const TOO_SLOW = new TryEnded("timeout", "another instance answered first");
const NOT_NEEDED = new TryEnded("cancelled", "another instance answered first");

export interface HedgeSettings {
  readonly delay: HedgeDelay;
  /** Of the retry budget, which hedges draw on too. */
  readonly budgetShare: number;
}

/**
 * A try that asks a second instance when the first is slow, and takes the answer that comes first.
 * A failure of one waits for the other; only when both fail does it fail.
 */
export function createHedgedTry(balancer: Balancer, tryOnce: TryOnce, settings: HedgeSettings): TryOnce {
  return function hedgedTry(exchange, endpoint, control) {
    if (!isReplayable(exchange)) return tryOnce(exchange, endpoint, control);
    return new Promise<GatewayResponse>((resolve, reject) => {
      const controls: TryControl[] = [];
      let underWay = 0;
      let isSettled = false;
      const start = (target: Endpoint): void => {
        const own = new TryControl();
        const startedAtMs = performance.now();
        controls.push(own);
        underWay++;
        tryOnce(exchange, target, own).then(
          (response) => {
            underWay--;
            settings.delay.observe(performance.now() - startedAtMs);
            if (isSettled) {
              discard(response);
              return;
            }
            // A quick refusal must not beat the answer that is still on its way.
            if (response.status >= 500 && underWay > 0) {
              discard(response);
              return;
            }
            isSettled = true;
            clearTimeout(timer);
            exchange.endpoint = target;
            for (const other of controls) if (other !== own) other.end(other === controls[0] ? TOO_SLOW : NOT_NEEDED);
            resolve(response);
          },
          (error: Error) => {
            underWay--;
            if (error === TOO_SLOW) settings.delay.observe(performance.now() - startedAtMs);
            if (isSettled || underWay > 0) return;
            isSettled = true;
            clearTimeout(timer);
            reject(error);
          },
        );
      };
      const timer = setTimeout(() => {
        if (exchange.isAborted || !balancer.takeRetry(settings.budgetShare)) return;
        const second = findOther(balancer, exchange, endpoint);
        if (second === undefined) return;
        exchange.attempts++;
        start(second);
      }, settings.delay.currentMs);
      control?.attach((error) => {
        for (const each of controls) each.end(error as TryEnded);
      });
      start(endpoint);
    });
  };
}

function findOther(balancer: Balancer, exchange: Parameters<TryOnce>[0], endpoint: Endpoint): Endpoint | undefined {
  try {
    return balancer.pick(exchange, [endpoint]);
  } catch {
    // The service is busy or its breaker open: the first try stands alone.
    return undefined;
  }
}

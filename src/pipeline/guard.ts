import { GatewayError } from "../core/errors.ts";
import type { Exchange, GatewayResponse, Handler, Next } from "../core/exchange.ts";
import type { Watchdog, Watched } from "./watchdog.ts";

/**
 * A plugin's handler as the pipeline calls it: an exception, a missing answer or a call that takes too long is a 500
 * with a code, and a call that was given up can no longer pass the request on. ATTACKS 36.
 *
 * A handler that calls `next` before it first waits costs one promise more and no timer: 0.04 µs.
 * @param watchdog undefined: no limit in time
 */
export function guard(plugin: string, handler: Handler, watchdog: Watchdog | undefined): Handler {
  const toAnswer = (response: GatewayResponse): GatewayResponse => {
    if (isResponse(response)) return response;
    throw new GatewayError("PLUGIN_FAILED", `${plugin} returned no response; return next(exchange)`);
  };
  const toFault = (error: unknown): never => {
    throw error instanceof GatewayError
      ? error
      : new GatewayError("PLUGIN_FAILED", `${plugin} failed; the log says why`, { cause: error });
  };
  // An operation calls a step with the same `next` each time: made once, not for each request.
  let known: Next | undefined;
  let counted: Next = () => Promise.reject(new GatewayError("PLUGIN_FAILED", "no request"));

  return function guarded(exchange, next) {
    if (next !== known) {
      known = next;
      counted = countPass(plugin, next);
    }
    const passesBefore = exchange.passes;
    try {
      const answer = handler(exchange, counted);
      // What comes back as it was passed on has been looked at further in.
      if (answer === exchange.passed && answer !== undefined) return answer;
      const promise = answer instanceof Promise ? answer : Promise.resolve(answer);
      const settled = promise.then(toAnswer, toFault);
      if (watchdog === undefined || exchange.passes !== passesBefore) return settled;
      return limit(plugin, exchange, settled, watchdog, passesBefore);
    } catch (error) {
      return Promise.reject(error).catch(toFault);
    }
  };
}

/** What passes the innermost plugin and fails is a fault of the gateway, not of a plugin. */
export const toInternalFault = (error: unknown): never => {
  throw error instanceof GatewayError ? error : new GatewayError("INTERNAL", "the log says why", { cause: error });
};

const countPass =
  (plugin: string, next: Next): Next =>
  (exchange) => {
    if (exchange.isGivenUp) {
      return Promise.reject(new GatewayError("PLUGIN_FAILED", `${plugin} called next after its time was over`));
    }
    exchange.passes++;
    exchange.passed = next(exchange);
    return exchange.passed;
  };

/** A handler that waits before it calls `next`: it, or its answer, must come in time. */
function limit(
  plugin: string,
  exchange: Exchange,
  settled: Promise<GatewayResponse>,
  watchdog: Watchdog,
  passesBefore: number,
): Promise<GatewayResponse> {
  return new Promise((resolve, reject) => {
    const watched: Watched = {
      earlier: undefined,
      later: undefined,
      lastTick: 0,
      onLate() {
        if (exchange.passes !== passesBefore) return;
        exchange.isGivenUp = true;
        reject(new GatewayError("PLUGIN_FAILED", `${plugin} took more than ${watchdog.limitMs} ms`));
      },
    };
    watchdog.enter(watched);
    settled.then(
      (response) => {
        watchdog.leave(watched);
        resolve(response);
      },
      (error: unknown) => {
        watchdog.leave(watched);
        reject(error);
      },
    );
  });
}

const isResponse = (value: unknown): value is GatewayResponse =>
  typeof value === "object" && value !== null && "status" in value && "headers" in value && "body" in value;

import { GatewayError } from "../core/errors.ts";
import type { Exchange, GatewayResponse, Handler, Next } from "../core/exchange.ts";
import { checkRequest } from "./check-request.ts";
import { checkResponse } from "./check-response.ts";
import { toFailure } from "./failure.ts";
import { HeldCall } from "./held-call.ts";
import type { Watchdog } from "./watchdog.ts";

/**
 * A plugin's handler as the pipeline calls it: an exception, a missing answer or a call that takes too long is a 500
 * with a code, and a call that was given up can no longer pass the request on. ATTACKS 36.
 *
 * A handler that returns what `next` gave it costs nothing more; one that waits for it, a promise and no timer.
 * @param watchdog undefined: no limit in time
 */
export function guard(plugin: string, handler: Handler, watchdog: Watchdog | undefined): Handler {
  const toAnswer = (response: GatewayResponse): GatewayResponse => checkResponse(plugin, response);
  const toFault = (error: unknown): never => {
    throw toFailure(plugin, error);
  };
  // An operation calls a step with the same `next` each time: made once, not for each request.
  let known: Next | undefined;
  let counted: Next = () => Promise.reject(new GatewayError("PLUGIN_FAILED", "no request"));
  /** What `next` gave, while the call that asked it has not yet returned. */
  let passed: Promise<GatewayResponse> | undefined;

  const held = new Map<Exchange, HeldCall>();

  const countPass =
    (next: Next): Next =>
    (exchange) => {
      if (exchange.isGivenUp) {
        return Promise.reject(new GatewayError("PLUGIN_FAILED", `${plugin} called next after its time was over`));
      }
      try {
        checkRequest(plugin, exchange);
      } catch (error) {
        return Promise.reject(toFailure(plugin, error));
      }
      const answer = next(exchange);
      if (held.size > 0) held.get(exchange)?.pass(answer);
      passed = answer;
      return answer;
    };

  return function guarded(exchange, next) {
    if (next !== known) {
      known = next;
      counted = countPass(next);
    }
    passed = undefined;
    let given: Promise<GatewayResponse>;
    try {
      given = handler(exchange, counted);
    } catch (error) {
      return Promise.reject(toFailure(plugin, error));
    }
    const answer = passed as Promise<GatewayResponse> | undefined;
    // Whatever stands further in has checked it.
    if (answer !== undefined && given === answer) return given;
    const settled = given instanceof Promise ? given : Promise.resolve(given);
    if (watchdog === undefined) return settled.then(toAnswer, toFault);
    return new Promise((resolve, reject) => {
      const call = new HeldCall(plugin, held, exchange, watchdog, reject);
      if (answer === undefined) call.hold();
      else call.pass(answer);
      settled.then(
        (response) => {
          call.end();
          try {
            resolve(checkResponse(plugin, response));
          } catch (error) {
            reject(error as GatewayError);
          }
        },
        (error: unknown) => {
          call.end();
          reject(toFailure(plugin, error));
        },
      );
    });
  };
}

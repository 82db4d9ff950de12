import { GatewayError } from "../core/errors.ts";
import type { Exchange, GatewayResponse, Handler } from "../core/exchange.ts";
import { checkRequest } from "./check-request.ts";
import { checkResponse } from "./check-response.ts";
import { toFailure } from "./failure.ts";

/**
 * What a plugin does that neither waits nor answers in the service's place: it looks at the request, and changes the
 * answer. A row of such plugins costs one promise, where each handler that awaits `next` costs several.
 */
export interface Hooks<Noted = unknown> {
  /** @returns what {@link onResponse} needs of the request as it was then. @throws GatewayError to refuse */
  onRequest?(exchange: Exchange): Noted;
  /** Sees the answer of whatever stands further in; not that of a request that was refused. */
  onResponse?(exchange: Exchange, response: GatewayResponse, noted: Noted): void;
}

/** Only types: `noted` is what `onRequest` returns. */
export const defineHooks = <Noted>(hooks: Hooks<Noted>): Hooks<Noted> => hooks;

/** The hooks of one step of an operation's stack. */
export interface StepHooks {
  readonly name: string;
  readonly hooks: Hooks;
  /** Turns what was thrown further in into an answer. */
  readonly onError?: ((error: unknown, exchange: Exchange) => GatewayResponse) | undefined;
}

/**
 * One handler for a row of hooks, the outermost first; the same to the client as one handler for each.
 * An exception in one of them is a 500 with a code and never a pass. ATTACKS 36.
 */
export function runHooks(row: readonly StepHooks[]): Handler {
  const count = row.length;
  return async function hooked(exchange, next) {
    const noted = new Array<unknown>(count);
    let entered = 0;
    let response: GatewayResponse;
    try {
      for (; entered < count; entered++) noted[entered] = enter(row[entered] as StepHooks, exchange);
      response = await next(exchange);
    } catch (error) {
      do entered--;
      while (entered >= 0 && row[entered]?.onError === undefined);
      const recover = row[entered]?.onError;
      if (recover === undefined) throw error;
      response = recover(error, exchange);
    }
    while (--entered >= 0) leave(row[entered] as StepHooks, exchange, response, noted[entered]);
    return response;
  };
}

function enter({ name, hooks }: StepHooks, exchange: Exchange): unknown {
  if (hooks.onRequest === undefined) return undefined;
  try {
    const noted = hooks.onRequest(exchange);
    if (isThenable(noted)) throw notSynchronous(name);
    checkRequest(name, exchange);
    return noted;
  } catch (error) {
    throw toFailure(name, error);
  }
}

function leave({ name, hooks }: StepHooks, exchange: Exchange, response: GatewayResponse, noted: unknown): void {
  if (hooks.onResponse === undefined) return;
  try {
    const given: unknown = hooks.onResponse(exchange, response, noted);
    if (isThenable(given)) throw notSynchronous(name);
    checkResponse(name, response);
  } catch (error) {
    throw toFailure(name, error);
  }
}

/** @returns true for a promise of whatever library; one of Node's own that will reject is caught, as nobody waits for it */
function isThenable(given: unknown): boolean {
  if (typeof given !== "object" || given === null || !("then" in given) || typeof given.then !== "function")
    return false;
  if (given instanceof Promise) given.catch(ignore);
  return true;
}
const ignore = (): void => {};

/** Nobody would wait for it: a check in it would let everything pass. */
const notSynchronous = (plugin: string): GatewayError =>
  new GatewayError("PLUGIN_FAILED", `a hook of ${plugin} returned a promise; what waits must be a handler`);

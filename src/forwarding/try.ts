import type { Exchange, GatewayResponse } from "../core/exchange.ts";
import type { Endpoint } from "../core/upstream.ts";
import type { TryEnded } from "./try-error.ts";

/**
 * One try at one instance: resolves with its answer, whatever its status; rejects when there is none.
 * It reports to the balancer exactly once for each endpoint it was given, when the answer's body is over.
 * @param control ends it from outside; undefined where nothing would
 */
export type TryOnce = (exchange: Exchange, endpoint: Endpoint, control?: TryControl) => Promise<GatewayResponse>;

/** How a hedge or the total timeout ends a try that is under way. */
export class TryControl {
  private cancelTry: ((error: Error) => void) | undefined = undefined;
  private ended: TryEnded | undefined = undefined;

  /** Called by the try, once for each that this control is given to. */
  attach(cancelTry: (error: Error) => void): void {
    this.cancelTry = cancelTry;
    if (this.ended !== undefined) cancelTry(this.ended);
  }

  end(error: TryEnded): void {
    this.ended = error;
    this.cancelTry?.(error);
  }
}

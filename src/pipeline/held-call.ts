import { GatewayError } from "../core/errors.ts";
import type { Exchange, GatewayResponse } from "../core/exchange.ts";
import type { Watchdog, Watched } from "./watchdog.ts";

/**
 * One call of a plugin that does not end at once. Its time runs while the plugin holds the request, and then while it
 * holds the answer; what `next` takes in between is not its own.
 *
 * When the answer came back is asked only of calls that are still there after an eighth of the limit: the others, which
 * is nearly all, need not pay for a promise that tells.
 */
export class HeldCall implements Watched {
  earlier: Watched | undefined = undefined;
  later: Watched | undefined = undefined;
  lastTick = 0;
  private readonly plugin: string;
  private readonly exchange: Exchange;
  private readonly watchdog: Watchdog;
  /** The calls of this plugin that may still call `next`, and are to be told of it. */
  private readonly held: Map<Exchange, HeldCall>;
  private readonly reject: (error: GatewayError) => void;
  /** What it passed the request on for, while that is under way. */
  private answer: Promise<GatewayResponse> | undefined = undefined;
  private isOver = false;

  constructor(
    plugin: string,
    held: Map<Exchange, HeldCall>,
    exchange: Exchange,
    watchdog: Watchdog,
    reject: (error: GatewayError) => void,
  ) {
    this.plugin = plugin;
    this.held = held;
    this.exchange = exchange;
    this.watchdog = watchdog;
    this.reject = reject;
  }

  /** The plugin has the request, or its answer: its time runs. */
  hold(): void {
    if (this.isOver) return;
    this.answer = undefined;
    this.held.set(this.exchange, this);
    this.watchdog.enter(this);
  }

  /** It has passed the request on. */
  pass(answer: Promise<GatewayResponse>): void {
    this.leave();
    this.answer = answer;
    this.watchdog.soon.enter(this);
  }

  end(): void {
    this.isOver = true;
    this.leave();
    if (this.held.size > 0) this.held.delete(this.exchange);
  }

  onLate(): void {
    if (this.answer !== undefined) {
      const { answer } = this;
      const onReturn = (): void => {
        if (this.answer === answer) this.hold();
      };
      this.held.set(this.exchange, this);
      answer.then(onReturn, onReturn);
      return;
    }
    this.isOver = true;
    this.held.delete(this.exchange);
    this.exchange.isGivenUp = true;
    this.reject(new GatewayError("PLUGIN_FAILED", `${this.plugin} took more than ${this.watchdog.limitMs} ms`));
  }

  private leave(): void {
    (this.answer === undefined ? this.watchdog : this.watchdog.soon).leave(this);
  }
}

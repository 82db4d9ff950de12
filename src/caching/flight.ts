import type { Exchange } from "../core/exchange.ts";
import type { HeaderList } from "../core/headers.ts";
import type { StoredAnswer } from "./answer.ts";

/** How a fetch ended for those who waited for it. */
export type Landing =
  | {
      readonly kind: "answer";
      readonly answer: StoredAnswer;
      readonly selectors: readonly string[];
      readonly headers: HeaderList;
    }
  /** Nothing that can be shared: each asks for itself. */
  | { readonly kind: "released" }
  /** The upstream failed for all of them. */
  | { readonly kind: "failed"; readonly error: unknown };

const RELEASED: Landing = { kind: "released" };

/**
 * One fetch for equal misses. It runs on an errand of its own: a leader that goes away does not end it while others
 * wait, and it ends once nobody does.
 */
export class Flight {
  readonly errand: Exchange;
  /** What others may wait for it by; undefined: nobody does. */
  readonly name: string | undefined;
  readonly hash: number;
  private waiting: Set<(landing: Landing) => void> | undefined = undefined;
  private landing: Landing | undefined = undefined;
  private isLeaderGone = false;
  private onCrowd: (() => void) | undefined = undefined;

  /** @param hash of the name, in the table of flights */
  constructor(errand: Exchange, name: string | undefined, hash: number) {
    this.errand = errand;
    this.name = name;
    this.hash = hash;
  }

  get hasFollowers(): boolean {
    return this.waiting !== undefined && this.waiting.size > 0;
  }

  /** Waits for the landing; gives up when the exchange is aborted. */
  follow(exchange: Exchange): Promise<Landing> {
    if (this.landing !== undefined) return Promise.resolve(this.landing);
    return new Promise((resolve) => {
      this.waiting ??= new Set();
      this.waiting.add(resolve);
      this.onCrowd?.();
      exchange.onAbort(() => {
        if (this.waiting?.delete(resolve) !== true) return;
        resolve(RELEASED);
        this.endWhenAlone();
      });
    });
  }

  /** Calls back when somebody begins to wait: then the pace is no longer the leader's alone. */
  whenFollowed(listener: () => void): void {
    this.onCrowd = listener;
  }

  /** The leader's client went away. */
  handleAbort(): void {
    this.isLeaderGone = true;
    this.endWhenAlone();
  }

  release(): void {
    this.land(RELEASED);
  }

  land(landing: Landing): void {
    if (this.landing !== undefined) return;
    this.landing = landing;
    const { waiting } = this;
    if (waiting === undefined) return;
    this.waiting = undefined;
    for (const resolve of waiting) resolve(landing);
  }

  private endWhenAlone(): void {
    if (this.isLeaderGone && !this.hasFollowers && this.landing === undefined) this.errand.abort();
  }
}

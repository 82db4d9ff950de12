import type { GatewayError } from "../core/errors.ts";
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
      /** Whose answer it is; empty: anybody's. */
      readonly partition: string;
    }
  /** Nothing that can be shared: each asks for itself. */
  | { readonly kind: "released" }
  /** The upstream failed; for all of them, unless the request of the first was what it failed at. */
  | { readonly kind: "failed"; readonly error: GatewayError; readonly shape: string };

export const RELEASED: Landing = { kind: "released" };

const WOKEN_AT_ONCE = 128;

/**
 * One fetch for equal misses, on the exchange of the one who came first: a leader that goes away does not end it while
 * others wait, and it ends once nobody does.
 */
export class Flight {
  readonly leader: Exchange;
  /** What others may wait for it by. */
  readonly name: string;
  readonly hash: number;
  private waiting: Set<(landing: Landing) => void> | undefined = undefined;
  private landing: Landing | undefined = undefined;
  private onCrowd: (() => void) | undefined = undefined;

  /** @param hash of the name, in the table of flights */
  constructor(leader: Exchange, name: string, hash: number) {
    this.leader = leader;
    this.name = name;
    this.hash = hash;
    leader.sharedBy = this;
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

  land(landing: Landing): void {
    if (this.landing !== undefined) return;
    this.landing = landing;
    this.leader.sharedBy = undefined;
    if (this.leader.isClientGone) this.leader.abort();
    this.wake(landing);
  }

  /** A few at a time: the first answers are on their way while the others are made, and nobody else is kept waiting. */
  private wake(landing: Landing): void {
    const { waiting } = this;
    if (waiting === undefined) return;
    let count = 0;
    for (const resolve of waiting) {
      if (count++ === WOKEN_AT_ONCE) {
        setImmediate(() => this.wake(landing));
        return;
      }
      waiting.delete(resolve);
      resolve(landing);
    }
    this.waiting = undefined;
  }

  private endWhenAlone(): void {
    if (this.leader.isClientGone && !this.hasFollowers) this.leader.abort();
  }
}

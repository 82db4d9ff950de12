import type { Endpoint, Instance } from "../core/upstream.ts";
import type { Breaker } from "./breaker.ts";
import { hash } from "./hash-key.ts";

/** An origin as URL would write it: parsing ten thousand of them would hold up the loop. */
const PLAIN_ORIGIN = /^https?:\/\/[a-z0-9.-]+:(?!80$|443$)(?:[1-9]\d{0,3}|[1-5]\d{4})$/;

/**
 * An instance with all that was seen of it. One class and every field from the start: pick reads these on each request.
 * Kept while discovery keeps the instance, so a reload or an update forgets nothing.
 */
export class Member implements Endpoint {
  readonly service: string;
  instance: Instance;
  readonly origin: string;
  readonly basePath: string;
  inFlight = 0;

  /** Share of the work now: the instance's weight, less while it starts slowly. */
  weight: number;
  /** Whether a policy may choose it; set when the candidates are built. */
  isCandidate = true;
  /** Discovery names it no more. */
  hasLeft = false;

  /** What the active checks say; undefined before the first answer. */
  isChecked: boolean | undefined = undefined;
  /** A connection failed and none has succeeded since. */
  isUnreachable = false;
  /** Outlier detection keeps it out. */
  isEjected = false;
  /** Was it out at any time of the current interval? */
  wasEjected = false;
  /** It asked for rest by `Retry-After`. */
  isResting = false;
  /** Ends the timer that will let it back in. */
  cancelReturn: (() => void) | undefined = undefined;
  /** How often it was ejected, less one for each quiet interval: multiplies the time of the next one. */
  ejections = 0;
  consecutiveFailures = 0;
  /** Of the current interval. */
  requests = 0;
  failures = 0;

  /** Peak-sensitive mean of the time to an answer; negative while nothing is known. */
  latencyMs = -1;
  latencyAtMs = 0;
  /** When it joined or came back, for the slow start; negative when that is over. */
  joinedAtMs = -1;
  breaker: Breaker | undefined = undefined;

  /** The last thing that took it out or brought it back, for an operator; undefined while nothing has. */
  lastChange: { readonly event: "out" | "in"; readonly reason: string; readonly atMs: number } | undefined = undefined;

  /** The update from discovery that last named it. */
  updatedIn = 0;
  private ownToken = -1;

  constructor(service: string, instance: Instance) {
    const isPlain = PLAIN_ORIGIN.test(instance.url);
    const url = isPlain ? undefined : new URL(instance.url);
    this.service = service;
    this.instance = instance;
    this.origin = url?.origin ?? instance.url;
    this.basePath = url?.pathname.replace(/\/+$/, "") ?? "";
    this.weight = instance.weight;
  }

  /** Discovery lets it take new work. */
  get isOffered(): boolean {
    return this.instance.status === "up" && this.instance.weight > 0 && !this.hasLeft;
  }

  /** What a sticky cookie holds, in base 36, instead of the instance's id or address, which are nobody's business outside. */
  get token(): number {
    if (this.ownToken < 0) this.prepareToken();
    return this.ownToken;
  }

  prepareToken(): void {
    const name = `${this.service}\n${this.instance.id}`;
    this.ownToken = hash(name, 3) * 2 ** 21 + (hash(name, 4) >>> 11);
  }

  /** Nothing that was seen speaks against it. */
  get isHealthy(): boolean {
    return (
      !this.isUnreachable &&
      !this.isEjected &&
      !this.isResting &&
      this.isChecked !== false &&
      (this.breaker === undefined || this.breaker.state !== "open")
    );
  }

  /** Why it takes no new work, or `up`. */
  get state(): string {
    if (this.instance.status !== "up") return this.instance.status;
    if (this.isUnreachable) return "unreachable";
    if (this.isEjected) return "ejected";
    if (this.isChecked === false) return "failing its checks";
    if (this.isResting) return "resting";
    if (this.breaker !== undefined && this.breaker.state !== "closed") return `breaker ${this.breaker.state}`;
    return "up";
  }
}

export const isAddress = (url: string): boolean =>
  PLAIN_ORIGIN.test(url) || (/^https?:/.test(url) && URL.canParse(url));

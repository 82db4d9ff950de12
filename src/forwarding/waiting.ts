import type { Asking } from "./asking.ts";
import { UpstreamError } from "./upstream-error.ts";

/** Requests that wait for a connection; the next ones are turned away at once. */
const MAX_WAITING = 16_384;

/** Those that wait for a connection to one instance, in order of arrival. */
export class Waiting {
  private line: Asking[] = [];

  get length(): number {
    return this.line.length;
  }

  /** @returns false where there are too many already */
  add(asking: Asking): boolean {
    if (this.line.length >= MAX_WAITING) return false;
    this.line.push(asking);
    return true;
  }

  next(): Asking | undefined {
    let next = this.line.shift();
    while (next?.isCancelled === true) next = this.line.shift();
    return next;
  }

  /** Ends those that have waited for longer than they would for headers. */
  expire(nowMs: number): void {
    const late = this.line.filter(({ startedAtMs, headersMs }) => nowMs - startedAtMs > headersMs);
    if (late.length === 0) return;
    this.line = this.line.filter((asking) => !late.includes(asking));
    tellAll(late, new UpstreamError("headers-timeout", "no connection became free in time"));
  }

  failAll(error: Error): void {
    tellAll(this.line.splice(0), error);
  }
}

function tellAll(askings: readonly Asking[], error: Error): void {
  for (const asking of askings) if (!asking.isCancelled) asking.onFail(error);
}

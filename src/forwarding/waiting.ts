import { isStream } from "../core/body.ts";
import type { Asking } from "./asking.ts";
import { UpstreamError } from "./upstream-error.ts";

/** Requests that wait for a connection; the next ones are turned away at once. */
const MAX_WAITING = 16_384;

/**
 * Those that wait for a connection to one instance, in order of arrival: those that are whole before those whose bodies
 * still come from their clients, however slowly. ATTACKS 45.
 */
export class Waiting {
  private whole: Asking[] = [];
  private uploads: Asking[] = [];

  get length(): number {
    return this.whole.length + this.uploads.length;
  }

  /** @returns false where there are too many already */
  add(asking: Asking): boolean {
    if (this.length >= MAX_WAITING) return false;
    (isStream(asking.body) ? this.uploads : this.whole).push(asking);
    return true;
  }

  next(): Asking | undefined {
    return this.nextWhole() ?? this.nextUpload();
  }

  nextWhole(): Asking | undefined {
    return firstOf(this.whole);
  }

  nextUpload(): Asking | undefined {
    return firstOf(this.uploads);
  }

  /** Ends those that have waited for longer than they would for headers. */
  expire(nowMs: number): void {
    const isLate = ({ startedAtMs, headersMs }: Asking): boolean => nowMs - startedAtMs > headersMs;
    const late = [...this.whole, ...this.uploads].filter(isLate);
    if (late.length === 0) return;
    this.whole = this.whole.filter((asking) => !isLate(asking));
    this.uploads = this.uploads.filter((asking) => !isLate(asking));
    tellAll(late, new UpstreamError("headers-timeout", "no connection became free in time"));
  }

  failAll(error: Error): void {
    tellAll([...this.whole.splice(0), ...this.uploads.splice(0)], error);
  }
}

function firstOf(line: Asking[]): Asking | undefined {
  let first = line.shift();
  while (first?.isCancelled === true) first = line.shift();
  return first;
}

function tellAll(askings: readonly Asking[], error: Error): void {
  for (const asking of askings) if (!asking.isCancelled) asking.onFail(error);
}

import type { Limit } from "./algorithms.ts";
import type { Verdict } from "./limiter.ts";

/**
 * The fields `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers): lists of structured fields,
 * one item a limit. `q` is the quota, `w` its window, `r` what remains, `t` the seconds until there is more.
 */
export class RateLimitFields {
  readonly policy: string;
  private readonly names: readonly string[];

  constructor(limits: readonly Limit[]) {
    this.policy = limits
      .map(({ name, count, windowMs }) => `${quote(name)};q=${count};w=${Math.ceil(windowMs / 1000)}`)
      .join(", ");
    this.names = limits.map(({ name }) => `${quote(name)};r=`);
  }

  of({ remaining, resetMs }: Verdict): string {
    let field = "";
    for (let i = 0; i < this.names.length; i++) {
      if (i > 0) field += ", ";
      field += `${this.names[i]}${remaining[i]}`;
      const seconds = toSeconds(resetMs[i] as number);
      if (Number.isFinite(seconds)) field += `;t=${seconds}`;
    }
    return field;
  }
}

/** Whole seconds, upwards; but a sum of times that is a hair above six seconds is six (`EPSILON_MS`). */
export const toSeconds = (ms: number): number => Math.max(0, Math.ceil((ms - 0.01) / 1000));

/** A string of a structured field (RFC 9651 §3.3.3). */
const quote = (text: string): string => `"${text.replace(/[^\x20-\x7e]/g, "?").replace(/["\\]/g, "\\$&")}"`;

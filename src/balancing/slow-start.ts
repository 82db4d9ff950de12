import { parsePercent } from "../core/units.ts";
import type { Member } from "./member.ts";
import type { SlowStartOptions } from "./options.ts";

/** Gives a newcomer its share little by little, by Envoy's formula, so that cold caches and compilers are not flooded. */
export class SlowStart {
  private readonly windowMs: number;
  private readonly minimum: number;
  private readonly exponent: number;

  constructor(options: SlowStartOptions) {
    this.windowMs = options.windowMs ?? 30_000;
    this.minimum = parsePercent(options.minimum ?? "10%");
    this.exponent = 1 / (options.aggression ?? 1);
  }

  /** Between two steps of the weights. */
  get stepMs(): number {
    return Math.max(50, this.windowMs / 50);
  }

  /** Sets each member's share for now. @returns whether any is still starting */
  apply(members: readonly Member[], nowMs: number): boolean {
    let isAnyStarting = false;
    for (const member of members) {
      const age = nowMs - member.joinedAtMs;
      const isStarting = member.joinedAtMs >= 0 && age < this.windowMs;
      if (!isStarting) member.joinedAtMs = -1;
      isAnyStarting ||= isStarting;
      const factor = isStarting ? Math.max(this.minimum, (age / this.windowMs) ** this.exponent) : 1;
      member.weight = member.instance.weight * factor;
    }
    return isAnyStarting;
  }
}

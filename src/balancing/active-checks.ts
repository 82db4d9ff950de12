import type { Clock } from "../core/clock.ts";
import type { Steps } from "../core/slices.ts";
import type { Member } from "./member.ts";
import type { ActiveCheckOptions } from "./options.ts";
import type { Prober } from "./probe.ts";

/** First checks that begin at once, and those that follow them in each millisecond. */
const AT_ONCE = 50;
const A_MS = 2;

/** Checks every instance on its own beat, so that what is ill is known before a request meets it. */
export class ActiveChecks {
  private readonly options: ActiveCheckOptions;
  private readonly clock: Clock;
  private readonly prober: Prober;
  private readonly onVerdict: (member: Member, isHealthy: boolean) => void;
  private readonly beats = new Map<Member, { streak: number; cancel: () => void }>();

  /** @param onVerdict told when one changes, and of the first */
  constructor(
    options: ActiveCheckOptions,
    clock: Clock,
    prober: Prober,
    onVerdict: (member: Member, isHealthy: boolean) => void,
  ) {
    this.options = options;
    this.clock = clock;
    this.prober = prober;
    this.onVerdict = onVerdict;
  }

  *watch(members: readonly Member[]): Steps {
    const wanted = new Set(members);
    yield;
    for (const [member, beat] of this.beats) {
      if (wanted.has(member)) continue;
      beat.cancel();
      this.beats.delete(member);
    }
    let newcomers = 0;
    for (const member of members) {
      if (this.beats.has(member)) continue;
      if (newcomers % 128 === 127) yield;
      const beat = { streak: 0, cancel: () => {} };
      this.beats.set(member, beat);
      // Thousands that are found together are not knocked at together.
      if (++newcomers <= AT_ONCE) void this.check(member);
      else beat.cancel = this.clock.after(newcomers / A_MS, () => void this.check(member));
    }
  }

  close(): void {
    for (const beat of this.beats.values()) beat.cancel();
    this.beats.clear();
  }

  private async check(member: Member): Promise<void> {
    const isWell = await this.isWell(member);
    const beat = this.beats.get(member);
    if (beat === undefined) return;
    this.judge(member, beat, isWell);
    // A tenth either way: gateways started together must not knock together for ever.
    const interval = (this.options.intervalMs ?? 10_000) * (0.9 + Math.random() * 0.2);
    beat.cancel = this.clock.after(interval, () => void this.check(member));
  }

  private async isWell(member: Member): Promise<boolean> {
    const { path, statuses, timeoutMs = 2_000 } = this.options;
    if (path === undefined) return this.prober.canConnect(member, timeoutMs);
    const status = await this.prober.statusOf(member, path, timeoutMs);
    return statuses === undefined ? status >= 200 && status < 300 : statuses.includes(status);
  }

  /** The first answer decides at once, as in Envoy; later ones need a row of the same. */
  private judge(member: Member, beat: { streak: number }, isWell: boolean): void {
    if (member.isChecked === isWell) {
      beat.streak = 0;
      return;
    }
    const needed = isWell ? (this.options.healthyAfter ?? 2) : (this.options.unhealthyAfter ?? 3);
    if (member.isChecked !== undefined && ++beat.streak < needed) return;
    beat.streak = 0;
    this.onVerdict(member, isWell);
  }
}

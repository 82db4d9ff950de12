import type { Clock } from "../core/clock.ts";
import { parsePercent } from "../core/units.ts";
import type { Member } from "./member.ts";
import type { OutlierOptions } from "./options.ts";

/** What the detector needs of the service. */
export interface OutlierHost {
  members(): readonly Member[];
  changed(member: Member, isOut: boolean, reason: string): void;
}

/** Envoy's outlier detection: puts out, for a time, what fails far more than its peers, and never more than half of them. */
export class OutlierDetector {
  private readonly clock: Clock;
  private readonly host: OutlierHost;
  private readonly consecutive: number;
  private readonly intervalMs: number;
  private readonly ejectionMs: number;
  private readonly maxEjectionMs: number;
  private readonly maxEjected: number;
  private readonly minimumHosts: number;
  private readonly minimumRequests: number;
  private readonly deviations: number;
  private cancelSweep: () => void;

  constructor(options: OutlierOptions, clock: Clock, host: OutlierHost) {
    this.clock = clock;
    this.host = host;
    this.consecutive = options.consecutiveFailures ?? 5;
    this.intervalMs = options.intervalMs ?? 10_000;
    this.ejectionMs = options.ejectionMs ?? 30_000;
    this.maxEjectionMs = options.maxEjectionMs ?? 300_000;
    this.maxEjected = parsePercent(options.maxEjected ?? "50%");
    this.minimumHosts = options.successRateMinimumHosts ?? 5;
    this.minimumRequests = options.successRateMinimumRequests ?? 100;
    this.deviations = options.successRateDeviations ?? 1.9;
    this.cancelSweep = clock.after(this.intervalMs, () => this.sweep());
  }

  /** Takes what became of one try. */
  observe(member: Member, failed: boolean): void {
    member.requests++;
    if (!failed) {
      member.consecutiveFailures = 0;
      return;
    }
    member.failures++;
    if (++member.consecutiveFailures >= this.consecutive)
      this.eject(member, `${member.consecutiveFailures} failures in a row`);
  }

  /** Lets it back in before its time, as a successful check does. */
  readmit(member: Member, reason: string): void {
    if (!member.isEjected) return;
    member.cancelReturn?.();
    member.cancelReturn = undefined;
    member.isEjected = false;
    member.consecutiveFailures = 0;
    this.host.changed(member, false, reason);
  }

  close(): void {
    this.cancelSweep();
  }

  private eject(member: Member, reason: string): void {
    if (member.isEjected || !this.hasRoom()) return;
    member.isEjected = true;
    member.wasEjected = true;
    member.ejections++;
    const lasts = Math.min(this.ejectionMs * member.ejections, this.maxEjectionMs);
    member.cancelReturn = this.clock.after(lasts, () => this.readmit(member, "its ejection is over"));
    this.host.changed(member, true, `${reason}: out for ${lasts} ms`);
  }

  /** One may always go where there is another. */
  private hasRoom(): boolean {
    const members = this.host.members();
    let ejected = 0;
    for (const member of members) if (member.isEjected) ejected++;
    return members.length > 1 && ejected + 1 <= Math.max(1, Math.floor(members.length * this.maxEjected));
  }

  private sweep(): void {
    this.ejectBySuccessRate();
    for (const member of this.host.members()) {
      // An interval that it was in from end to end is forgiven one ejection.
      if (!member.isEjected && !member.wasEjected && member.ejections > 0) member.ejections--;
      member.wasEjected = member.isEjected;
      member.requests = 0;
      member.failures = 0;
    }
    this.cancelSweep = this.clock.after(this.intervalMs, () => this.sweep());
  }

  private ejectBySuccessRate(): void {
    const judged = this.host
      .members()
      .filter(({ requests, isEjected }) => requests >= this.minimumRequests && !isEjected);
    if (judged.length < this.minimumHosts) return;
    const rates = judged.map(({ requests, failures }) => 1 - failures / requests);
    const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
    const deviation = Math.sqrt(rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / rates.length);
    const threshold = mean - this.deviations * deviation;
    judged.forEach((member, i) => {
      const rate = rates[i] as number;
      if (rate < threshold)
        this.eject(member, `success rate ${percentOf(rate)}, where the others' mean is ${percentOf(mean)}`);
    });
  }
}

const percentOf = (share: number): string => `${(share * 100).toFixed(1)} %`;

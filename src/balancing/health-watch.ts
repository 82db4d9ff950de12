import type { Clock } from "../core/clock.ts";
import type { Steps } from "../core/slices.ts";
import type { Outcome } from "../core/upstream.ts";
import { ActiveChecks } from "./active-checks.ts";
import type { Member } from "./member.ts";
import type { HealthOptions } from "./options.ts";
import { OutlierDetector } from "./outlier.ts";
import type { Prober } from "./probe.ts";
import { Reachability } from "./reachability.ts";

/** What the watch needs of the service. */
export interface WatchedService {
  members(): readonly Member[];
  /** Whether new work may go to a member has changed. */
  changed(member: Member, event: "out" | "in", reason: string): void;
}

/** All that judges instances: refused connections, outliers, active checks, and rest that they ask for themselves. */
export class HealthWatch {
  private readonly clock: Clock;
  private readonly service: WatchedService;
  private readonly reachability: Reachability;
  private readonly outliers: OutlierDetector | undefined;
  private readonly checks: ActiveChecks | undefined;
  private readonly rests = new Map<Member, () => void>();

  constructor(options: HealthOptions, clock: Clock, prober: Prober, service: WatchedService) {
    this.clock = clock;
    this.service = service;
    this.reachability = new Reachability(clock, prober, (member, isReachable) => {
      // Who opens the port again is most likely a new process: what the old one did is not held against it.
      if (isReachable) this.outliers?.readmit(member, "it accepts connections");
      service.changed(
        member,
        isReachable ? "in" : "out",
        isReachable ? "it accepts connections" : "no connection to it has been made",
      );
    });
    this.outliers =
      options.passive === false
        ? undefined
        : new OutlierDetector(options.passive ?? {}, clock, {
            members: service.members,
            changed: (member, isOut, reason) => service.changed(member, isOut ? "out" : "in", reason),
          });
    this.checks =
      options.active &&
      new ActiveChecks(options.active, clock, prober, (member, isWell) => {
        const isFirst = member.isChecked === undefined;
        member.isChecked = isWell;
        // As in Envoy, a check that succeeds ends an ejection.
        if (isWell) this.outliers?.readmit(member, "its check succeeds");
        if (!isWell || !isFirst)
          service.changed(member, isWell ? "in" : "out", isWell ? "its check succeeds" : "its check fails");
      });
  }

  /** @param members those that discovery offers */
  *watch(members: readonly Member[]): Steps {
    if (this.checks !== undefined) yield* this.checks.watch(members);
  }

  observe(member: Member, outcome: Exclude<Outcome, { kind: "cancelled" }>, failed: boolean): void {
    if (outcome.kind === "connect-failed") {
      this.reachability.failed(member);
      return;
    }
    if (outcome.kind === "reset") this.reachability.suspect(member);
    else if (outcome.kind === "response") this.reachability.succeeded(member);
    this.outliers?.observe(member, failed);
  }

  /** Discovery keeps it without hearing of it. @param place among others of which this is so */
  doubt(member: Member, place: number): void {
    this.reachability.doubt(member, place);
  }

  rest(member: Member, restMs: number): void {
    if (member.isResting) return;
    member.isResting = true;
    this.rests.set(
      member,
      this.clock.after(restMs, () => {
        this.rests.delete(member);
        member.isResting = false;
        this.service.changed(member, "in", "the rest it asked for is over");
      }),
    );
    this.service.changed(member, "out", `it asked for ${restMs} ms of rest`);
  }

  forget(member: Member): void {
    this.reachability.forget(member);
    member.cancelReturn?.();
    this.rests.get(member)?.();
    this.rests.delete(member);
  }

  close(): void {
    this.reachability.close();
    this.outliers?.close();
    this.checks?.close();
    for (const member of this.service.members()) this.forget(member);
  }
}

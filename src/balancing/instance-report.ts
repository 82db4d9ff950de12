import type { Member } from "./member.ts";

/** One instance as an operator sees it. */
export interface InstanceReport {
  readonly id: string;
  readonly url: string;
  /** `up`, or why it takes no new work. */
  readonly state: string;
  /** Its share now: less than discovery says while it starts slowly. */
  readonly weight: number;
  readonly inFlight: number;
  readonly zone?: string | undefined;
  readonly version?: string | undefined;
  /** The registry keeps it without hearing of it. */
  readonly isUnconfirmed?: true | undefined;
  /** How often it was put out lately: multiplies the time of the next ejection. */
  readonly ejections: number;
  /** Peak-sensitive mean, where the policy measures it. */
  readonly latencyMs?: number | undefined;
  /** What last took it out or brought it back. */
  readonly lastChange?: { readonly event: "out" | "in"; readonly reason: string; readonly at: string } | undefined;
}

export function describeMember(member: Member): InstanceReport {
  const { instance, state, weight, inFlight, ejections, latencyMs, lastChange } = member;
  const { id, url, zone, version, unconfirmed } = instance;
  return {
    id,
    url,
    state,
    weight,
    inFlight,
    zone,
    version,
    isUnconfirmed: unconfirmed === true ? true : undefined,
    ejections,
    latencyMs: latencyMs < 0 ? undefined : Math.round(latencyMs * 100) / 100,
    lastChange: lastChange && {
      event: lastChange.event,
      reason: lastChange.reason,
      at: new Date(lastChange.atMs).toISOString(),
    },
  };
}

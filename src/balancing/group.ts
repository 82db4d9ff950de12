import type { Exchange } from "../core/exchange.ts";
import type { Endpoint } from "../core/upstream.ts";
import type { Member } from "./member.ts";
import type { Candidates, Policy } from "./policy.ts";

/** Envoy's overprovisioning factor: a zone with 72 % of its instances still takes all of its own traffic. */
const OVERPROVISIONING = 1.4;
/** Choices of the policy before the rest is looked at one by one. */
const ROUNDS = 4;

export interface GroupSettings {
  readonly zone: string | undefined;
  /** Share of healthy ones, 0 to 1, below which health is not believed. */
  readonly panic: number;
  readonly perInstance: number;
  readonly createPolicy: (candidates: Candidates, slot: string) => Policy;
}

interface Tier {
  readonly members: readonly Member[];
  readonly policy: Policy;
}

/**
 * Instances among which one request may choose: all of a service, or one version of it. Built when anything changes, with
 * those of the gateway's own zone first and the others for what that zone cannot take.
 */
export class Group {
  readonly isPanicking: boolean;
  private readonly near: Tier | undefined;
  private readonly far: Tier | undefined;
  private readonly nearShare: number;
  private readonly perInstance: number;

  /** @param name tells this group's tiers from another's where policies keep something across builds */
  constructor(name: string, offered: readonly Member[], load: Candidates["load"], settings: GroupSettings) {
    const { zone, createPolicy } = settings;
    const { candidates, isPanicking } = choose(offered, settings.panic);
    for (const member of offered) member.isCandidate = false;
    for (const member of candidates) member.isCandidate = true;
    this.isPanicking = isPanicking;
    this.perInstance = settings.perInstance;

    const toTier = (slot: string, isOf: (member: Member) => boolean): Tier | undefined => {
      const members = candidates.filter(isOf);
      if (members.length === 0) return undefined;
      return { members, policy: createPolicy({ members, offered: offered.filter(isOf), load }, `${name} ${slot}`) };
    };
    const isNear = (member: Member): boolean => zone === undefined || member.instance.zone === zone;
    this.near = toTier("near", isNear);
    this.far = toTier("far", (member) => !isNear(member));
    const nearCount = candidates.filter(isNear).length;
    this.nearShare = Math.min(1, (nearCount / Math.max(1, offered.filter(isNear).length)) * OVERPROVISIONING);
  }

  /** @returns undefined when all have been tried or are full */
  pick(exchange: Exchange, tried: readonly Endpoint[]): Member | undefined {
    const { near, far } = this;
    const isNearFirst = far === undefined || this.nearShare >= 1 || Math.random() < this.nearShare;
    const first = isNearFirst ? near : far;
    const second = isNearFirst ? far : near;
    return (first && this.pickOf(first, exchange, tried)) ?? (second && this.pickOf(second, exchange, tried));
  }

  private pickOf(tier: Tier, exchange: Exchange, tried: readonly Endpoint[]): Member | undefined {
    const { members, policy } = tier;
    for (let round = 0; round < ROUNDS; round++) {
      const member = policy.pick(exchange, round);
      if (this.isFree(member, tried)) return member;
    }
    const start = Math.floor(Math.random() * members.length);
    for (let i = 0; i < members.length; i++) {
      const member = members[(start + i) % members.length] as Member;
      if (this.isFree(member, tried)) return member;
    }
    return undefined;
  }

  private isFree(member: Member, tried: readonly Endpoint[]): boolean {
    return (
      member.inFlight < this.perInstance &&
      (tried.length === 0 || !tried.includes(member)) &&
      (member.breaker === undefined || member.breaker.enter())
    );
  }
}

/**
 * The healthy ones; all that accept connections when the healthy ones are too few to carry the load (Envoy's panic
 * threshold), as then the checks are wrong or the rest would fall too; everybody when nobody accepts connections.
 */
function choose(offered: readonly Member[], panic: number): { candidates: readonly Member[]; isPanicking: boolean } {
  const reachable = offered.filter(({ isUnreachable }) => !isUnreachable);
  if (reachable.length === 0) return { candidates: offered, isPanicking: offered.length > 0 };
  const healthy = reachable.filter(({ isHealthy }) => isHealthy);
  if (healthy.length >= reachable.length * panic && healthy.length > 0)
    return { candidates: healthy, isPanicking: false };
  return { candidates: reachable, isPanicking: true };
}

import type { Exchange } from "../core/exchange.ts";
import type { Steps } from "../core/slices.ts";
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
  private readonly offered: readonly Member[];
  private readonly near: Tier | undefined;
  private readonly far: Tier | undefined;
  private readonly nearShare: number;
  private readonly perInstance: number;

  private constructor(parts: {
    readonly offered: readonly Member[];
    readonly isPanicking: boolean;
    readonly near: Tier | undefined;
    readonly far: Tier | undefined;
    readonly nearShare: number;
    readonly perInstance: number;
  }) {
    this.offered = parts.offered;
    this.isPanicking = parts.isPanicking;
    this.near = parts.near;
    this.far = parts.far;
    this.nearShare = parts.nearShare;
    this.perInstance = parts.perInstance;
  }

  /**
   * Built aside, while another group serves.
   * @param name tells this group's tiers from another's where policies keep something across builds
   */
  static *build(
    name: string,
    offered: readonly Member[],
    load: Candidates["load"],
    settings: GroupSettings,
  ): Steps<Group> {
    const { zone, createPolicy, perInstance } = settings;
    const { candidates, isPanicking } = choose(offered, settings.panic);
    yield;
    const isNear = (member: Member): boolean => zone === undefined || member.instance.zone === zone;
    const isFar = (member: Member): boolean => !isNear(member);
    const tiers: (Tier | undefined)[] = [];
    for (const [slot, isOf] of [["near", isNear] as const, ["far", isFar] as const]) {
      const members = candidates.filter(isOf);
      const all = members.length === 0 ? [] : offered.filter(isOf);
      yield;
      // A hash table of these steps over who is no candidate, from the moment on that it serves.
      const policy =
        members.length === 0 ? undefined : createPolicy({ members, offered: all, load }, `${name} ${slot}`);
      tiers.push(policy && { members, policy });
      yield;
    }
    const [near, far] = tiers;
    const nearCount = offered.reduce((count, member) => count + (isNear(member) ? 1 : 0), 0);
    const nearShare = Math.min(1, ((near?.members.length ?? 0) / Math.max(1, nearCount)) * OVERPROVISIONING);
    return new Group({ offered, isPanicking, near, far, nearShare, perInstance });
  }

  /** It serves from now on: its members know whether they may be chosen. */
  enter(): void {
    for (const member of this.offered) member.isCandidate = false;
    for (const tier of [this.near, this.far]) for (const member of tier?.members ?? []) member.isCandidate = true;
  }

  get isEmpty(): boolean {
    return this.near === undefined && this.far === undefined;
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
      member.isOffered &&
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

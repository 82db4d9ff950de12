import { channels } from "../core/channels.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import type { Exchange } from "../core/exchange.ts";
import { complete, SlicedWork, type Steps } from "../core/slices.ts";
import { parsePercent } from "../core/units.ts";
import type { Balancer, Endpoint, Instance, Outcome } from "../core/upstream.ts";
import { Breaker } from "./breaker.ts";
import { type ConcurrencyLimit, createConcurrencyLimit } from "./concurrency.ts";
import { createPolicyFactory } from "./create-policy.ts";
import { Group, type GroupSettings } from "./group.ts";
import { HealthWatch } from "./health-watch.ts";
import { describeMember, type InstanceReport } from "./instance-report.ts";
import type { Member } from "./member.ts";
import type { BalancingOptions } from "./options.ts";
import { observeLatency } from "./peak-ewma.ts";
import { createNetworkProber, type Prober } from "./probe.ts";
import { busy, circuitOpen, whyNone } from "./refusals.ts";
import { RetryBudget } from "./retry-budget.ts";
import { Roster } from "./roster.ts";
import { SlowStart } from "./slow-start.ts";
import { VersionRules } from "./versions.ts";

/** What a service needs beside its options; the defaults are the real ones. */
export interface ServiceParts {
  readonly clock?: Clock | undefined;
  readonly prober?: Prober | undefined;
  /** Told when an instance gets no new work for what was seen of it, and when it does again. */
  readonly onHealth?: ((endpoint: Endpoint, event: "out" | "in", reason: string) => void) | undefined;
}

/** The longest rest that an upstream may ask for itself. */
const MAX_REST_MS = 60_000;

/** Up to so many instances, everything is done at once: a millisecond or two. */
const LARGE = 2_000;
/** Between two builds of what many are chosen from: while health comes and goes, it is not built all the time. */
const REST_MS_PER_MEMBER = 0.01;

/** The instances of one service as the gateway uses them: what discovery says, and what was seen of each. */
export class Service implements Balancer {
  readonly name: string;
  /** Requests under way, over all instances. */
  inFlight = 0;
  private readonly roster: Roster;
  /** What discovery said while its last word was still being taken over. */
  private wanted: readonly Instance[] | undefined = undefined;
  private taking: SlicedWork | undefined = undefined;
  private building: SlicedWork | undefined = undefined;
  private restsUntilMs = 0;
  private everybody: Group;
  private byVersion: ReadonlyMap<string, Group> = new Map();
  private readonly settings: GroupSettings;
  private readonly clock: Clock;
  private readonly rules: VersionRules | undefined;
  private readonly health: HealthWatch;
  private readonly breaker: Breaker | undefined;
  private readonly concurrency: ConcurrencyLimit | undefined;
  private readonly slowStart: SlowStart | undefined;
  private readonly budget: RetryBudget;
  private readonly options: BalancingOptions;
  private readonly measuresLatency: boolean;
  private readonly onHealth: ServiceParts["onHealth"];
  private cancelStep: (() => void) | undefined = undefined;
  /** The groups are out of date: the next pick has them built, once for however many changes. */
  private isStale = false;

  constructor(name: string, options: BalancingOptions = {}, parts: ServiceParts = {}) {
    const { clock = systemClock, prober = createNetworkProber() } = parts;
    const { balance = {}, breaker, concurrency = {}, health = {}, slowStart, versions } = options;
    this.name = name;
    this.options = options;
    this.onHealth = parts.onHealth;
    this.clock = clock;
    this.settings = {
      zone: options.zone,
      panic: parsePercent(health.panic ?? "50%"),
      perInstance: concurrency.perInstance ?? Number.POSITIVE_INFINITY,
      createPolicy: createPolicyFactory(balance),
    };
    this.rules = versions && new VersionRules(versions);
    this.breaker = breaker && breaker.per !== "instance" ? new Breaker(breaker, clock, () => {}) : undefined;
    this.concurrency = createConcurrencyLimit(concurrency);
    this.slowStart = slowStart && new SlowStart(slowStart);
    this.budget = new RetryBudget(clock);
    this.measuresLatency = balance.policy === "peak-ewma";
    this.health = new HealthWatch(health, clock, prober, {
      members: () => this.members,
      changed: (member, event, reason) => this.healthChanged(member, event, reason),
    });
    const hasCookie = balance.policy === "sticky";
    this.roster = new Roster(name, {
      joined: (member, isFirst) => this.joined(member, isFirst, hasCookie),
      left: (member) => {
        this.health.forget(member);
        member.breaker?.close();
      },
      changed: (members) => this.membersChanged(members),
      doubted: (member, place) => this.health.doubt(member, place),
    });
    this.everybody = complete(Group.build("", [], this, this.settings));
  }

  /** Takes discovery's word; keeps what was seen of instances that stay. A long list is taken over beside the traffic. */
  update(instances: readonly Instance[]): void {
    this.wanted = instances;
    if (this.taking !== undefined) return;
    this.taking = new SlicedWork(this.takeWanted(), () => {
      this.taking = undefined;
    });
    // Where nobody can be chosen yet, a long list must not be waited for; a short one costs nothing.
    if (Math.max(instances.length, this.members.length) <= LARGE) this.taking.finish();
  }

  /** @see Balancer.pick */
  pick(exchange: Exchange, tried: readonly Endpoint[]): Endpoint | undefined {
    if (this.isStale || this.taking !== undefined) this.refresh();
    if (this.concurrency !== undefined && this.inFlight >= this.concurrency.limit) throw busy(this.name);
    if (this.breaker !== undefined && !this.breaker.enter()) throw circuitOpen(this.name, this.breaker, this.clock);
    const version = this.rules?.versionFor(exchange);
    let member = this.pickOf(version, exchange, tried);
    if (member === undefined && this.isBehind) {
      this.catchUp();
      member = this.pickOf(version, exchange, tried);
    }
    if (member === undefined) {
      this.breaker?.leave(undefined);
      if (tried.length === 0) throw whyNone(this.name, this.members, this.clock);
      return undefined;
    }
    if (tried.length === 0) this.budget.countRequest(exchange.startedAtMs);
    member.inFlight++;
    this.inFlight++;
    return member;
  }

  /** @see Balancer.report */
  report(endpoint: Endpoint, outcome: Outcome): void {
    const member = endpoint as Member;
    member.inFlight--;
    this.inFlight--;
    if (outcome.kind === "cancelled") {
      this.breaker?.leave(undefined);
      member.breaker?.leave(undefined);
      return;
    }
    const failed = outcome.kind !== "response" || outcome.status >= 500;
    this.breaker?.leave(failed);
    member.breaker?.leave(failed);
    this.health.observe(member, outcome, failed);
    if (outcome.kind !== "response") {
      if (this.measuresLatency) observeLatency(member, member.latencyMs * 2, this.clock.monotonicMs(), true);
      return;
    }
    this.concurrency?.observe(outcome.latencyMs, this.inFlight + 1, failed);
    if (this.measuresLatency) observeLatency(member, outcome.latencyMs, this.clock.monotonicMs(), failed);
  }

  /** @see Balancer.takeRetry */
  takeRetry(share: number): boolean {
    return this.budget.take(share);
  }

  /** @see Balancer.rest */
  rest(endpoint: Endpoint, restMs: number): void {
    this.health.rest(endpoint as Member, Math.min(restMs, MAX_REST_MS));
  }

  /** What an operator wants to see of each instance. */
  describe(): InstanceReport[] {
    if (this.isBehind) this.catchUp();
    return this.members.map(describeMember);
  }

  /** The service as a whole, and each instance. */
  overview() {
    const instances = this.describe();
    return {
      policy: this.options.balance?.policy ?? "least-busy",
      inFlight: this.inFlight,
      concurrencyLimit: this.concurrency === undefined ? null : Math.floor(this.concurrency.limit),
      breaker: this.breaker?.state ?? null,
      isPanicking: this.everybody.isPanicking,
      instances,
    };
  }

  close(): void {
    this.taking?.cancel();
    this.taking = undefined;
    this.building?.cancel();
    this.building = undefined;
    this.cancelStep?.();
    this.health.close();
    this.breaker?.close();
    for (const member of this.members) member.breaker?.close();
  }

  private get members(): readonly Member[] {
    return this.roster.members;
  }

  private pickOf(version: string | undefined, exchange: Exchange, tried: readonly Endpoint[]): Member | undefined {
    const group = version === undefined ? this.everybody : (this.byVersion.get(version) ?? this.everybody);
    const member = group.pick(exchange, tried);
    // A version without an instance that can answer does not fail its requests.
    return member === undefined && group !== this.everybody ? this.everybody.pick(exchange, tried) : member;
  }

  private joined(member: Member, isFirst: boolean, hasCookie: boolean): void {
    const { breaker } = this.options;
    if (breaker !== undefined && breaker.per !== "service")
      member.breaker = new Breaker(breaker, this.clock, this.markStale);
    // Those that were there from the beginning have nobody to spare them.
    if (!isFirst) member.joinedAtMs = this.clock.monotonicMs();
    if (hasCookie) member.prepareToken();
  }

  private *membersChanged(members: readonly Member[]): Steps {
    this.isStale = true;
    yield* this.health.watch(members.filter(({ isOffered }) => isOffered));
  }

  private *takeWanted(): Steps {
    for (let { wanted } = this; wanted !== undefined; { wanted } = this) {
      this.wanted = undefined;
      yield* this.roster.take(wanted);
    }
  }

  private healthChanged(member: Member, event: "out" | "in", reason: string): void {
    if (event === "in") member.joinedAtMs = this.clock.monotonicMs();
    member.lastChange = { event, reason, atMs: Date.now() };
    if (channels.instanceHealth.hasSubscribers) channels.instanceHealth.publish({ endpoint: member, event, reason });
    this.onHealth?.(member, event, reason);
    this.isStale = true;
  }

  private readonly markStale = (): void => {
    this.isStale = true;
  };

  /** Discovery, health, a breaker or the slow start changed something: what pick reads is built anew. */
  private refresh(): void {
    if (this.everybody.isEmpty) this.catchUp();
    if (!this.isStale) return;
    if (this.members.length <= LARGE) {
      this.building?.finish();
      complete(this.rebuild());
      return;
    }
    if (this.building !== undefined || performance.now() < this.restsUntilMs) return;
    this.building = new SlicedWork(this.rebuild(), () => {
      this.building = undefined;
      this.restsUntilMs = performance.now() + this.members.length * REST_MS_PER_MEMBER;
    });
  }

  private get isBehind(): boolean {
    return this.isStale || this.taking !== undefined || this.building !== undefined;
  }

  /** Does at once what is being done beside the traffic, or waits to be. */
  private catchUp(): void {
    this.taking?.finish();
    this.building?.finish();
    if (this.isStale) complete(this.rebuild());
  }

  private *rebuild(): Steps {
    this.isStale = false;
    const { rules, members } = this;
    const offered = members.filter(({ isOffered }) => isOffered);
    this.cancelStep?.();
    if (this.slowStart === undefined) for (const member of offered) member.weight = member.instance.weight;
    else if (this.slowStart.apply(offered, this.clock.monotonicMs()))
      this.cancelStep = this.clock.after(this.slowStart.stepMs, this.markStale);
    yield;
    const groups = new Map<string, Group>();
    for (const version of rules?.versions ?? []) {
      const own = offered.filter(({ instance }) => instance.version === version);
      if (own.length > 0) groups.set(version, yield* Group.build(version, own, this, this.settings));
    }
    const rest = rules && offered.filter(({ instance }) => !rules.versions.has(instance.version ?? ""));
    const everybody = yield* Group.build("", rest?.length ? rest : offered, this, this.settings);
    // A policy may still know of one that is offered no more.
    for (const member of members) member.isCandidate = false;
    for (const group of groups.values()) group.enter();
    everybody.enter();
    this.byVersion = groups;
    this.everybody = everybody;
  }
}

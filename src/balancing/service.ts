import { channels } from "../core/channels.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import { GatewayError } from "../core/errors.ts";
import type { Exchange } from "../core/exchange.ts";
import { parsePercent } from "../core/units.ts";
import type { Balancer, Endpoint, Instance, Outcome } from "../core/upstream.ts";
import { Breaker } from "./breaker.ts";
import { type ConcurrencyLimit, createConcurrencyLimit } from "./concurrency.ts";
import { createPolicyFactory } from "./create-policy.ts";
import { Group, type GroupSettings } from "./group.ts";
import { HealthWatch } from "./health-watch.ts";
import { describeMember, type InstanceReport } from "./instance-report.ts";
import { isAddress, Member } from "./member.ts";
import type { BalancingOptions } from "./options.ts";
import { observeLatency } from "./peak-ewma.ts";
import { createNetworkProber, type Prober } from "./probe.ts";
import { RetryBudget } from "./retry-budget.ts";
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

/** The instances of one service as the gateway uses them: what discovery says, and what was seen of each. */
export class Service implements Balancer {
  readonly name: string;
  /** Requests under way, over all instances. */
  inFlight = 0;
  private members: readonly Member[] = [];
  private readonly byId = new Map<string, Member>();
  private updates = 0;
  private readonly hasChecks: boolean;
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
  /** The groups are out of date: the next pick builds them, once for however many changes. */
  private isStale = false;

  constructor(name: string, options: BalancingOptions = {}, parts: ServiceParts = {}) {
    const { clock = systemClock, prober = createNetworkProber() } = parts;
    const { balance = {}, breaker, concurrency = {}, health = {}, slowStart, versions } = options;
    this.name = name;
    this.options = options;
    this.onHealth = parts.onHealth;
    this.hasChecks = health.active !== undefined;
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
    this.everybody = new Group("", [], this, this.settings);
  }

  /** Takes discovery's word; keeps what was seen of instances that stay. */
  update(instances: readonly Instance[]): void {
    const isFirst = this.members.length === 0;
    const before = this.members;
    const doubted: Member[] = [];
    const round = ++this.updates;
    const members: Member[] = [];
    let isChanged = instances.length !== before.length;
    for (const instance of instances) {
      const same = this.byId.get(instance.id);
      // Of thousands that a source tells of, few are news: the others are the very objects of the last time.
      if (same !== undefined && same.instance === instance && same.updatedIn !== round) {
        same.updatedIn = round;
        members.push(same);
        continue;
      }
      isChanged = true;
      // A source that checks nothing must not take the whole service down with one bad address.
      if (!isAddress(instance.url)) continue;
      const stays = same !== undefined && same.updatedIn !== round && same.instance.url === instance.url;
      const member = stays ? same : this.join(instance, isFirst);
      if (instance.unconfirmed === true && !(stays && same.instance.unconfirmed === true)) doubted.push(member);
      member.instance = instance;
      member.updatedIn = round;
      members.push(member);
    }
    if (!isChanged) return;
    this.members = members;
    for (const member of before) if (member.updatedIn !== round) this.leave(member);
    if (this.hasChecks) this.health.watch(this.members.filter(({ isOffered }) => isOffered));
    this.isStale = true;
    for (const member of doubted) this.health.doubt(member);
  }

  /** @see Balancer.pick */
  pick(exchange: Exchange, tried: readonly Endpoint[]): Endpoint | undefined {
    if (this.isStale) this.rebuild();
    if (this.concurrency !== undefined && this.inFlight >= this.concurrency.limit) throw busy(this.name);
    if (this.breaker !== undefined && !this.breaker.enter()) throw circuitOpen(this.name, this.breaker, this.clock);
    const version = this.rules?.versionFor(exchange);
    const group = version === undefined ? this.everybody : (this.byVersion.get(version) ?? this.everybody);
    let member = group.pick(exchange, tried);
    // A version without an instance that can answer does not fail its requests.
    if (member === undefined && group !== this.everybody) member = this.everybody.pick(exchange, tried);
    if (member === undefined) {
      this.breaker?.leave(undefined);
      if (tried.length === 0) throw this.whyNone();
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
    if (this.isStale) this.rebuild();
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
    this.cancelStep?.();
    this.health.close();
    this.breaker?.close();
    for (const member of this.members) member.breaker?.close();
  }

  private join(instance: Instance, isFirst: boolean): Member {
    const { breaker } = this.options;
    const member = new Member(this.name, instance);
    if (breaker !== undefined && breaker.per !== "service")
      member.breaker = new Breaker(breaker, this.clock, this.markStale);
    // Those that were there from the beginning have nobody to spare them.
    if (!isFirst) member.joinedAtMs = this.clock.monotonicMs();
    this.byId.set(instance.id, member);
    return member;
  }

  private leave(member: Member): void {
    if (this.byId.get(member.instance.id) === member) this.byId.delete(member.instance.id);
    member.isCandidate = false;
    this.health.forget(member);
    member.breaker?.close();
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

  /** Everything that pick reads, built anew: after discovery, health, a breaker or the slow start changed something. */
  private rebuild(): void {
    this.isStale = false;
    // A policy may still know of one that is offered no more.
    for (const member of this.members) member.isCandidate = false;
    const offered = this.members.filter(({ isOffered }) => isOffered);
    this.cancelStep?.();
    if (this.slowStart === undefined) for (const member of offered) member.weight = member.instance.weight;
    else if (this.slowStart.apply(offered, this.clock.monotonicMs()))
      this.cancelStep = this.clock.after(this.slowStart.stepMs, this.markStale);
    const { rules } = this;
    if (rules === undefined) {
      this.everybody = new Group("", offered, this, this.settings);
      return;
    }
    const groups = new Map<string, Group>();
    for (const version of rules.versions) {
      const own = offered.filter(({ instance }) => instance.version === version);
      if (own.length > 0) groups.set(version, new Group(version, own, this, this.settings));
    }
    const rest = offered.filter(({ instance }) => !rules.versions.has(instance.version ?? ""));
    this.byVersion = groups;
    this.everybody = new Group("", rest.length > 0 ? rest : offered, this, this.settings);
  }

  private whyNone(): GatewayError {
    const offered = this.members.filter(({ isOffered }) => isOffered);
    if (this.members.length === 0)
      return new GatewayError("NO_INSTANCE", `no instance of ${this.name} is known; is one registered?`);
    if (offered.length === 0)
      return new GatewayError("NO_INSTANCE", `every instance of ${this.name} is draining, down or of weight 0`);
    const opened = offered.find(({ breaker }) => breaker !== undefined && breaker.state !== "closed")?.breaker;
    return opened === undefined ? busy(this.name) : circuitOpen(this.name, opened, this.clock);
  }
}

const busy = (service: string): GatewayError =>
  new GatewayError("UPSTREAM_BUSY", `${service} has all the requests it may have at once`, {
    headers: { "Retry-After": "1" },
  });

function circuitOpen(service: string, breaker: Breaker, clock: Clock): GatewayError {
  const seconds = Math.max(1, Math.ceil((breaker.opensUntilMs - clock.monotonicMs()) / 1_000));
  return new GatewayError("CIRCUIT_OPEN", `too many requests to ${service} failed; it is left alone for a while`, {
    headers: { "Retry-After": String(seconds) },
  });
}

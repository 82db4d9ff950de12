import type { BalancingOptions } from "../balancing/options.ts";
import { createNetworkProber, type ProbeTls } from "../balancing/probe.ts";
import { Service, type ServiceParts } from "../balancing/service.ts";
import type { RouteConfig } from "../config/load.ts";
import type { Problem } from "../config/problem.ts";
import { BALANCING_KEYS, type UpstreamOptions } from "../config/schema.ts";
import type { AddressGuard } from "../core/address-guard.ts";
import type { Instance } from "../core/upstream.ts";
import { AddressPolicy } from "../discovery/address-policy.ts";
import type { DiscoverySource, Watch } from "../discovery/source.ts";
import { createStaticSource } from "../discovery/static.ts";
import type { Logger } from "../pipeline/contract.ts";
import { type ServiceReport, toServiceReport } from "./service-report.ts";

/** One service of one source: a single watch, however many routes balance it in their own ways. */
interface Watched {
  readonly watch: Watch;
  readonly services: Map<string, Service>;
  instances: readonly Instance[] | undefined;
}

/** Every upstream service in use, kept across reloads so that what was seen of its instances is kept too. */
export class Services {
  private readonly sources: ReadonlyMap<string, DiscoverySource>;
  private readonly watched = new Map<string, Watched>();
  private readonly log: Logger | undefined;
  private readonly addresses: AddressPolicy;
  private used = new Set<Service>();

  constructor(
    sources: ReadonlyMap<string, DiscoverySource>,
    parts: { readonly log?: Logger | undefined; readonly addresses?: AddressPolicy | undefined } = {},
  ) {
    this.sources = sources;
    this.log = parts.log;
    this.addresses = parts.addresses ?? new AddressPolicy();
  }

  /**
   * @param tls how checks over https connect, as the route's traffic does
   * @returns undefined when the options name no upstream; a problem says so
   */
  balancerFor(
    options: UpstreamOptions | undefined,
    route: RouteConfig,
    problems: Problem[],
    tls?: ProbeTls | undefined,
  ): Service | undefined {
    if (options?.targets !== undefined) {
      for (const { url } of options.targets) this.addresses.trust(url);
      const service = this.serviceOf(
        `static ${JSON.stringify(options.targets)}`,
        options.service ?? "static",
        createStaticSource(options.targets),
        options,
        tls,
      );
      return service;
    }
    const name = options?.service;
    if (options === undefined || name === undefined) {
      problems.push(
        route.source.problem(["upstream"], "upstream is missing; write { service: name } or { targets: [{ url: … }] }"),
      );
      return undefined;
    }
    const from = options.from ?? "registry";
    const source = this.sources.get(from);
    if (source === undefined) {
      const known = [...this.sources.keys()].join(", ") || "none";
      problems.push(
        route.source.problem(
          ["upstream"],
          `upstream.from is ${from}; known sources: ${known}. Configure registry or discovery`,
        ),
      );
      return undefined;
    }
    return this.serviceOf(`${from} ${name}`, name, source, options, tls);
  }

  /** Resolves when each service has had its first answer, or failed to. */
  async ready(): Promise<void> {
    await Promise.all([...this.watched.values()].map(({ watch }) => watch.ready));
  }

  /** What each source last told of each service, and how old that is: 0 ms while in touch, NaN when nothing was heard. */
  knowledge(): { source: string; service: string; instances: number; ageMs: number }[] {
    return [...this.watched].map(([key, { watch, instances }]) => {
      const [source = "", ...rest] = key.split(" ");
      return { source, service: rest.join(" "), instances: instances?.length ?? 0, ageMs: watch.ageMs() };
    });
  }

  /** Each service with its instances, their health and why. */
  report(): ServiceReport[] {
    return [...this.watched].map(([key, { watch, services, instances }]) =>
      toServiceReport(key, { ageMs: watch.ageMs(), instances: instances?.length ?? 0 }, services.values()),
    );
  }

  /** Every service in use. */
  list(): Service[] {
    return [...this.watched.values()].flatMap(({ services }) => [...services.values()]);
  }

  /** Lets go of what no route asked for since the last time: called once a new snapshot serves. */
  releaseUnused(): void {
    for (const [key, watched] of this.watched) {
      for (const [options, service] of watched.services) {
        if (this.used.has(service)) continue;
        service.close();
        watched.services.delete(options);
      }
      if (watched.services.size > 0) continue;
      watched.watch.close();
      this.watched.delete(key);
    }
    this.used = new Set();
  }

  async close(): Promise<void> {
    for (const { watch } of this.watched.values()) watch.close();
    for (const service of this.list()) service.close();
    await Promise.all([...this.sources.values()].map((source) => source.close()));
  }

  private readonly tell: ServiceParts["onHealth"] = ({ service, instance }, event, reason) => {
    const fields = { service, instance: instance.id, url: instance.url, reason };
    if (event === "out") this.log?.warn(fields, "an instance gets no new work");
    else this.log?.info(fields, "an instance gets work again");
  };

  private readonly guard: AddressGuard = (host, address, port) =>
    this.addresses.findRefusalAtConnect(host, address, port);

  private serviceOf(
    key: string,
    name: string,
    source: DiscoverySource,
    options: UpstreamOptions,
    tls: ProbeTls | undefined,
  ): Service {
    const watched = this.watched.get(key) ?? this.watch(key, name, source);
    const own = toBalancing(options);
    const settings = JSON.stringify(own.health?.active === undefined ? own : [own, tls]);
    let service = watched.services.get(settings);
    if (service === undefined) {
      service = new Service(name, own, { prober: createNetworkProber(tls, this.guard), onHealth: this.tell });
      watched.services.set(settings, service);
      if (watched.instances !== undefined) service.update(watched.instances);
    }
    this.used.add(service);
    return service;
  }

  private watch(key: string, name: string, source: DiscoverySource): Watched {
    const services = new Map<string, Service>();
    let first: readonly Instance[] | undefined;
    let watched: Watched | undefined;
    const watch = source.watch(name, (instances) => {
      if (watched === undefined) first = instances;
      else watched.instances = instances;
      for (const service of services.values()) service.update(instances);
    });
    watched = { watch, services, instances: first };
    this.watched.set(key, watched);
    return watched;
  }
}

/** The keys that are about balancing, in one order: two routes that say the same share what is seen. */
function toBalancing(options: UpstreamOptions): BalancingOptions {
  const own: Record<string, unknown> = {};
  for (const key of BALANCING_KEYS) if (options[key] !== undefined) own[key] = options[key];
  return own;
}

import { Service } from "../balancing/service.ts";
import type { RouteConfig } from "../config/load.ts";
import type { Problem } from "../config/problem.ts";
import type { Balancer } from "../core/upstream.ts";
import type { UpstreamOptions } from "../discovery/options.ts";
import type { DiscoverySource, Watch } from "../discovery/source.ts";
import { createStaticSource } from "../discovery/static.ts";

/** Every upstream service in use, kept across reloads so that what was seen of its instances is kept too. */
export class Services {
  private readonly sources: ReadonlyMap<string, DiscoverySource>;
  private readonly known = new Map<string, { service: Service; watch: Watch }>();

  constructor(sources: ReadonlyMap<string, DiscoverySource>) {
    this.sources = sources;
  }

  /** @returns undefined when the options name no upstream; a problem says so */
  balancerFor(options: UpstreamOptions | undefined, route: RouteConfig, problems: Problem[]): Balancer | undefined {
    if (options?.targets !== undefined)
      return this.watch(`static ${JSON.stringify(options.targets)}`, "static", createStaticSource(options.targets));
    const name = options?.service;
    if (name === undefined) {
      problems.push(
        route.source.problem(["upstream"], "upstream is missing; write { service: name } or { targets: [{ url: … }] }"),
      );
      return undefined;
    }
    const from = options?.from ?? "registry";
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
    return this.watch(`${from} ${name}`, name, source);
  }

  /** Resolves when each service has had its first answer, or failed to. */
  async ready(): Promise<void> {
    await Promise.all([...this.known.values()].map(({ watch }) => watch.ready));
  }

  async close(): Promise<void> {
    for (const { watch } of this.known.values()) watch.close();
    await Promise.all([...this.sources.values()].map((source) => source.close()));
  }

  private watch(key: string, name: string, source: DiscoverySource): Service {
    const known = this.known.get(key);
    if (known !== undefined) return known.service;
    const service = new Service(name);
    const watch = source.watch(name, (instances) => service.update(instances));
    this.known.set(key, { service, watch });
    return service;
  }
}

import type { Cache } from "../caching/cache.ts";
import type { ConsumerOptions } from "../config/consumer-options.ts";
import type { Config, RouteConfig } from "../config/load.ts";
import { formatPlace, type Problem } from "../config/problem.ts";
import type { OperationOptions } from "../config/schema.ts";
import { lazy } from "../core/lazy.ts";
import type { Operation } from "../core/operation.ts";
import type { Pace } from "../core/pace.ts";
import type { StateStore } from "../core/state-store.ts";
import { parseBytes } from "../core/units.ts";
import type { UpstreamPools } from "../forwarding/http.ts";
import type { PublishedSpec } from "../openapi/merge-documents.ts";
import type { Spec } from "../openapi/operations.ts";
import type { Logger } from "../pipeline/contract.ts";
import type { KeptObjects } from "../pipeline/kept.ts";
import { PluginLoader } from "../pipeline/load-plugins.ts";
import type { Enforcer } from "../pipeline/security.ts";
import { type Conflict, Router } from "../routing/router.ts";
import type { PluginMeters } from "../telemetry/plugin-meters.ts";
import { warmUp } from "../validating/warm-up.ts";
import { type AttachedPlugin, attachAll, attachPlugin, setUpPlugin } from "./attach-plugins.ts";
import { type BuiltRoute, buildRoute } from "./build-route.ts";
import { readConnectOptions } from "./connect-options.ts";
import { Consumers } from "./consumers.ts";
import { createConsumerHost, createPluginHost } from "./plugin-host.ts";
import { readSpecs } from "./read-specs.ts";
import type { Services } from "./services.ts";

/** All that answers requests, immutable: a reload builds another one and swaps. */
export interface Snapshot {
  readonly router: Router<BuiltRoute>;
  readonly specs: readonly PublishedSpec[];
  readonly routes: readonly BuiltRoute[];
  readonly consumers: Consumers;
  /** Releases what its plugins own, once no exchange uses it any more. */
  close(): Promise<void>;
}

export interface SnapshotParts {
  readonly config: Config;
  readonly services: Services;
  readonly pools: UpstreamPools;
  readonly log: Logger;
  /** Kept across reloads, as the pools are. */
  readonly cache: Cache;
  /** What plugins keep beyond a request; kept across reloads, too. */
  readonly store: StateStore;
  readonly meters: PluginMeters;
  readonly kept: KeptObjects;
  /** The consumers of the admin API; undefined when it keeps none. */
  readonly stored: ReadonlyMap<string, ConsumerOptions> | undefined;
  readonly pace: Pace;
}

/** Builds a snapshot, or says everything that is wrong; never half of one. */
export async function buildSnapshot(parts: SnapshotParts): Promise<{ snapshot: Snapshot; problems: Problem[] }> {
  const { config, pace } = parts;
  const problems: Problem[] = [];
  const closers: (() => void | Promise<void>)[] = [];
  const router = new Router<BuiltRoute>();
  const specs: PublishedSpec[] = [];
  const routes: BuiltRoute[] = [];
  const alternatives: (() => void)[] = [];
  const loader = new PluginLoader();
  const global = await attachAll(config.options.plugins ?? [], ["plugins"], config, loader, problems);
  const { stored } = parts;
  const consumers = await Consumers.read(
    { config, loader, host: createConsumerHost(parts), closers, stored },
    problems,
  );
  for (const route of config.routes) {
    for (const spec of await readSpecs(route, config.folder, pace, problems)) {
      specs.push(spec);
      const builder = new RouteBuilder(parts, route, spec, loader, consumers, closers, problems);
      for (const built of await builder.build(global)) {
        const { operation } = built;
        const hosts = [route.options.host ?? []].flat();
        const conflict = router.add(hosts, operation, built);
        if (conflict === undefined) routes.push(built);
        else problems.push(describeConflict(conflict));
        for (const base of operation.bases.slice(1)) alternatives.push(() => router.add(hosts, operation, built, base));
        if (pace.isOver) await pace.rest();
      }
    }
  }
  // Last: the further paths of a server are nobody's where they are another operation's only one.
  for (const add of alternatives) add();
  if (problems.length === 0) {
    const prepares = routes.flatMap(({ prepare }) => (prepare === undefined ? [] : [prepare]));
    closers.push(warmUp(prepares, (error) => parts.log.warn({ err: error }, "a schema could not be compiled ahead")));
  }
  const close = async (): Promise<void> => {
    for (const closer of closers) await closer();
  };
  return { snapshot: { router, specs, routes, consumers, close }, problems };
}

function describeConflict({ operation, with: other, reason }: Conflict): Problem {
  const place = formatPlace(other.location);
  const message =
    `${operation.method} ${operation.publicPath} matches the same requests as ${other.publicPath} at ${place}: ` +
    `${reason}; give one of the specs a prefix or a host, or their path parameters schemas that tell them apart`;
  return { ...operation.location, message };
}

/** Of an operation that the route file does not name. */
const NO_OPTIONS: OperationOptions = {};

class RouteBuilder {
  private readonly parts: SnapshotParts;
  private readonly route: RouteConfig;
  private readonly spec: Spec;
  private readonly loader: PluginLoader;
  private readonly consumers: Consumers;
  private readonly closers: (() => void | Promise<void>)[];
  private readonly problems: Problem[];
  private readonly unenforced = new Set<string>();

  constructor(
    parts: SnapshotParts,
    route: RouteConfig,
    spec: Spec,
    loader: PluginLoader,
    consumers: Consumers,
    closers: (() => void | Promise<void>)[],
    problems: Problem[],
  ) {
    this.parts = parts;
    this.route = route;
    this.spec = spec;
    this.loader = loader;
    this.consumers = consumers;
    this.closers = closers;
    this.problems = problems;
  }

  async build(global: readonly AttachedPlugin[]): Promise<BuiltRoute[]> {
    const { options } = this.route;
    const own = await attachAll(options.plugins ?? [], ["plugins"], this.route, this.loader, this.problems);
    const schemes = await this.attachSecurity(options.security, ["security"]);
    this.checkOperationNames();
    const built: BuiltRoute[] = [];
    const common = lazy(() => this.settingsOf(NO_OPTIONS));
    const { pace } = this.parts;
    for (const operation of this.spec.operations) {
      if (pace.isOver) await pace.rest();
      const [key, special] = this.operationOptions(operation);
      const { merged, connect, balancer, isMocked } = special === NO_OPTIONS ? common() : this.settingsOf(special);
      const extra = await attachAll(
        special.plugins ?? [],
        ["operations", key, "plugins"],
        this.route,
        this.loader,
        this.problems,
      );
      const steps = await Promise.all(
        [...global, ...own, ...extra].map((plugin) =>
          setUpPlugin(
            plugin,
            operation,
            undefined,
            createPluginHost(this.parts, this.route, merged, this.consumers.credentials),
            this.closers,
          ),
        ),
      );
      const guards =
        special.security === undefined
          ? schemes
          : await this.attachSecurity(special.security, ["operations", key, "security"]);
      if (balancer === undefined && !isMocked) continue;
      built.push(
        buildRoute({
          operation,
          options: merged,
          plugins: await this.consumers.join(
            steps.filter((step) => step !== undefined),
            operation,
          ),
          afterAuthentication: this.consumers.afterAuthentication,
          enforcers: await this.enforcers(operation, guards),
          balancer,
          pools: this.parts.pools,
          cache: this.parts.cache,
          siblings: this.spec.operations,
          schemes: this.spec.securitySchemes,
          connect,
          bodyBytes: parseBytes(this.parts.config.options.limits?.bodyBytes ?? "1MiB"),
        }),
      );
    }
    return built;
  }

  private operationOptions(operation: Operation): [string, OperationOptions] {
    const all = this.route.options.operations;
    if (all === undefined) return [operation.id, NO_OPTIONS];
    for (const key of [operation.id, `${operation.method} ${operation.path}`]) {
      const found = all[key];
      if (found !== undefined) return [key, found];
    }
    return [operation.id, NO_OPTIONS];
  }

  /** What an operation with these keys of its own is built with. */
  private settingsOf(special: OperationOptions) {
    const merged = merge(this.route.options, special);
    const isMocked = merged.upstream === undefined && merged.mock !== undefined && merged.mock !== false;
    const connect = readConnectOptions(merged, this.route, ["upstreamTls"], this.problems);
    const balancer = isMocked
      ? undefined
      : this.parts.services.balancerFor(merged.upstream, this.route, this.problems, connect.tls);
    return { merged, connect, balancer, isMocked };
  }

  private checkOperationNames(): void {
    if (this.route.options.operations === undefined) return;
    const known = new Set(this.spec.operations.flatMap(({ id, method, path }) => [id, `${method} ${path}`]));
    for (const key of Object.keys(this.route.options.operations)) {
      if (known.has(key)) continue;
      const message = `operations.${key} is not an operation of ${this.spec.info.title}; write an operationId or "GET /path"`;
      this.problems.push(this.route.source.problem(["operations", key], message));
    }
  }

  /** @returns undefined: the service guards itself */
  private async attachSecurity(
    security: OperationOptions["security"],
    at: readonly (string | number)[],
  ): Promise<Map<string, AttachedPlugin | "upstream"> | undefined> {
    if (security === "upstream") return undefined;
    const attached = new Map<string, AttachedPlugin | "upstream">();
    for (const [scheme, entry] of Object.entries(security ?? {})) {
      if (!this.spec.securitySchemes.has(scheme)) {
        const message = `security.${scheme} is not a security scheme of ${this.spec.info.title}`;
        this.problems.push(this.route.source.problem([...at, scheme], message));
      }
      if (entry === "upstream") {
        attached.set(scheme, entry);
        continue;
      }
      const plugin = await attachPlugin(entry, [...at, scheme], this.route, this.loader, this.problems);
      if (plugin !== undefined) attached.set(scheme, plugin);
    }
    return attached;
  }

  private async enforcers(
    operation: Operation,
    guards: Map<string, AttachedPlugin | "upstream"> | undefined,
  ): Promise<Map<string, Enforcer> | undefined> {
    if (guards === undefined) return undefined;
    const enforcers = new Map<string, Enforcer>();
    for (const { scheme } of operation.security.flat()) {
      const guard = guards.get(scheme);
      const known = this.spec.securitySchemes.get(scheme);
      if (guard === undefined) {
        this.complainOnce(scheme);
      } else if (guard === "upstream") {
        enforcers.set(scheme, { scheme: known, step: guard });
      } else {
        const step = await setUpPlugin(
          guard,
          operation,
          known,
          createPluginHost(this.parts, this.route, this.route.options, this.consumers.credentials),
          this.closers,
        );
        if (step !== undefined) enforcers.set(scheme, { scheme: known, step });
      }
    }
    return enforcers;
  }

  private complainOnce(scheme: string): void {
    if (this.unenforced.has(scheme)) return;
    this.unenforced.add(scheme);
    const message =
      `nothing enforces the security scheme ${scheme} of ${this.spec.info.title}; ` +
      `write security: { ${scheme}: { <plugin>: … } }, or security: upstream when the service guards itself`;
    this.problems.push(this.route.source.problem(["security"], message));
  }
}

/** The operation's keys over the route's, one level deep; plugins and security are joined elsewhere. */
function merge(route: RouteConfig["options"], own: OperationOptions): OperationOptions & RouteConfig["options"] {
  return {
    ...route,
    ...own,
    validate: { ...route.validate, ...own.validate },
    cache: { ...route.cache, ...own.cache },
    timeouts: { ...route.timeouts, ...own.timeouts },
    retries: { ...route.retries, ...own.retries },
  };
}

import { resolve } from "node:path";
import { checkOptions } from "../config/check.ts";
import { type ConsumerOptions, ConsumersOptions } from "../config/consumer-options.ts";
import type { Config } from "../config/load.ts";
import type { Problem } from "../config/problem.ts";
import { inlineSource, readConfigSource } from "../config/source.ts";
import type { KnownCredential } from "../core/credentials.ts";
import { GatewayError } from "../core/errors.ts";
import { type Consumer, compose, type Handler } from "../core/exchange.ts";
import type { Operation } from "../core/operation.ts";
import type { PluginLoader } from "../pipeline/load-plugins.ts";
import { inOrder, type Step, toHandlers } from "../pipeline/order.ts";
import { type AttachedPlugin, attachAll, type ConfiguredAt, type PluginHost, setUpPlugin } from "./attach-plugins.ts";
import { Credentials } from "./credential-book.ts";

/** What one consumer has of its own, ready to run. */
export interface KnownConsumer {
  readonly groups: readonly string[];
  readonly plugins: readonly AttachedPlugin[];
  /** Names of {@link plugins}: for this consumer they stand in place of the route's. */
  readonly own: ReadonlySet<string>;
  readonly credentials: ReadonlyMap<string, KnownCredential>;
  /** Its plugins, composed for each operation. */
  readonly stacks: Map<Operation, Handler>;
}

type Closers = (() => void | Promise<void>)[];

export interface ConsumersParts {
  readonly config: Config;
  readonly loader: PluginLoader;
  readonly host: Omit<PluginHost, "consumers">;
  readonly closers: Closers;
  /** Those of the admin API; undefined when it keeps none. */
  readonly stored: ReadonlyMap<string, ConsumerOptions> | undefined;
}

/** Those who call, as configuration and admin API know them: groups, credentials, and the plugins that run for them alone. */
export class Consumers {
  readonly credentials: Credentials;
  private readonly known = new Map<string, KnownConsumer>();
  private readonly inFiles = new Set<string>();
  private readonly operations: Operation[] = [];
  private readonly parts: ConsumersParts;
  /** Consumers may come while it runs. */
  private readonly isOpen: boolean;
  /** A credential's consumer, and what it is together with its groups here. */
  private joined = new WeakMap<Consumer, Consumer>();

  private constructor(parts: ConsumersParts) {
    this.parts = parts;
    this.isOpen = parts.stored !== undefined;
    this.credentials = new Credentials(this.isOpen);
  }

  /** From `consumers` of portico.yaml, which has them or names their file, and from the admin API. */
  static async read(parts: ConsumersParts, problems: Problem[]): Promise<Consumers> {
    const consumers = new Consumers(parts);
    const { at, value, ...from } = await consumersOf(parts.config, problems);
    for (const [name, options] of Object.entries(value)) {
      const known = await consumers.attach(name, options, [...at, name], from, problems);
      consumers.inFiles.add(name);
      if (known !== undefined) consumers.set(name, known);
    }
    for (const [name, options] of parts.stored ?? []) {
      if (consumers.inFiles.has(name)) continue;
      const known = await consumers.attach(name, options, [name], adminSource(parts.config), problems);
      if (known !== undefined) consumers.set(name, known);
    }
    return consumers;
  }

  isInFiles(name: string): boolean {
    return this.inFiles.has(name);
  }

  /** What a consumer would be, set up for every operation: what is wrong with it is known before any request is. */
  async prepare(name: string, options: ConsumerOptions): Promise<{ known?: KnownConsumer; problems: Problem[] }> {
    const problems: Problem[] = [];
    const known = await this.attach(name, structuredClone(options), [name], adminSource(this.parts.config), problems);
    if (known === undefined) return { problems };
    for (const operation of this.operations) await this.setUp(known, operation);
    return problems.length > 0 ? { problems } : { known, problems };
  }

  /** @param known undefined: nobody by this name any more */
  set(name: string, known: KnownConsumer | undefined): void {
    if (known === undefined) this.known.delete(name);
    else this.known.set(name, known);
    this.credentials.set(name, known?.credentials);
    this.joined = new WeakMap();
  }

  /** The plugins of an operation, as its consumers change them. */
  async join(steps: readonly Step[], operation: Operation): Promise<readonly Step[]> {
    if (this.isEmpty) return steps;
    this.operations.push(operation);
    for (const known of this.known.values()) await this.setUp(known, operation);
    const overridden = new Set([...this.known.values()].flatMap(({ own }) => [...own]));
    return [
      { phase: "authorize", name: "consumer-plugins", handler: this.runOwn(operation) },
      ...steps.map((step) => (this.isOpen || overridden.has(step.name) ? this.unlessOverridden(step) : step)),
    ];
  }

  /** What follows authentication at once. */
  get afterAuthentication(): readonly Step[] {
    if (this.isEmpty) return [];
    const handler: Handler = (exchange, next) => {
      const { consumer } = exchange;
      if (consumer !== undefined) exchange.consumer = this.withGroups(consumer);
      return next(exchange);
    };
    return [{ phase: "authenticate", name: "consumer-groups", handler }];
  }

  private get isEmpty(): boolean {
    return this.known.size === 0 && !this.isOpen;
  }

  private async attach(
    name: string,
    options: ConsumerOptions,
    at: readonly string[],
    from: ConfiguredAt,
    problems: Problem[],
  ): Promise<KnownConsumer | undefined> {
    const { groups = [], plugins: entries = [], quotas = [] } = options;
    const { loader } = this.parts;
    const before = problems.length;
    const plugins = await attachAll(entries, [...at, "plugins"], from, loader, problems);
    const limits = quotas.map((quota) => ({ quota: { ...quota, by: "consumer" } }));
    plugins.push(...(await attachAll(limits, [...at, "quotas"], from, loader, problems)));
    let credentials: ReadonlyMap<string, KnownCredential> = new Map();
    try {
      credentials = this.credentials.read(name, options);
    } catch (error) {
      problems.push(from.source.problem([...at, "credentials"], `${at.join(".")}.${(error as Error).message}`));
    }
    const own = new Set(plugins.map(({ plugin }) => plugin.name));
    return problems.length > before ? undefined : { groups, plugins, own, credentials, stacks: new Map() };
  }

  private withGroups(consumer: Consumer): Consumer {
    const groups = this.known.get(consumer.name)?.groups;
    if (groups === undefined || groups.length === 0) return consumer;
    let joined = this.joined.get(consumer);
    if (joined === undefined) {
      joined = { ...consumer, groups: [...new Set([...(consumer.groups ?? []), ...groups])] };
      this.joined.set(consumer, joined);
    }
    return joined;
  }

  private runOwn(operation: Operation): Handler {
    return (exchange, next) => {
      const known = exchange.consumer === undefined ? undefined : this.known.get(exchange.consumer.name);
      if (known === undefined || known.plugins.length === 0) return next(exchange);
      const stack = known.stacks.get(operation);
      // Cannot be; and if it is, what guards this consumer must not be left out.
      if (stack === undefined) throw new GatewayError("PLUGIN_FAILED", "the plugins of the consumer are not set up");
      return stack(exchange, next);
    };
  }

  private unlessOverridden(step: Step): Step {
    const handler: Handler = (exchange, next) => {
      const { consumer } = exchange;
      const isOverridden = consumer !== undefined && this.known.get(consumer.name)?.own.has(step.name) === true;
      return isOverridden ? next(exchange) : step.handler(exchange, next);
    };
    return { ...step, handler, hooks: undefined };
  }

  private async setUp({ plugins, stacks }: KnownConsumer, operation: Operation): Promise<void> {
    const { host, closers } = this.parts;
    const given = { ...host, consumers: this.credentials };
    const steps = await Promise.all(plugins.map((plugin) => setUpPlugin(plugin, operation, undefined, given, closers)));
    const handlers = toHandlers(inOrder(steps.filter((step) => step !== undefined)));
    stacks.set(operation, (exchange, next) => compose(handlers, next)(exchange));
  }
}

const adminSource = ({ folder }: Config): ConfiguredAt => ({
  source: inlineSource("(admin API)", {}),
  name: "(admin)",
  folder,
});

interface Found extends ConfiguredAt {
  readonly at: readonly string[];
  readonly value: ConsumersOptions;
}

async function consumersOf(config: Config, problems: Problem[]): Promise<Found> {
  const { consumers = {} } = config.options;
  const { folder } = config;
  if (typeof consumers !== "string") return { ...config, at: ["consumers"], value: consumers };
  const source = await readConfigSource(resolve(folder, consumers));
  const nothing = { ...config, at: [], value: {} };
  if (Array.isArray(source)) {
    problems.push(...source);
    return nothing;
  }
  const found = checkOptions(source, ConsumersOptions, source.value, []);
  problems.push(...found);
  if (found.length > 0) return nothing;
  return { source, name: consumers, folder, at: [], value: source.value as ConsumersOptions };
}

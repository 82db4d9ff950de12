import { resolve } from "node:path";
import { checkOptions } from "../config/check.ts";
import { ConsumersOptions } from "../config/consumer-options.ts";
import type { Config } from "../config/load.ts";
import type { Problem } from "../config/problem.ts";
import { type ConfigSource, readConfigSource } from "../config/source.ts";
import { type Consumer, compose, type Handler } from "../core/exchange.ts";
import type { Operation } from "../core/operation.ts";
import type { PluginLoader } from "../pipeline/load-plugins.ts";
import { inOrder, type Step } from "../pipeline/order.ts";
import { type AttachedPlugin, attachAll, type PluginHost, setUpPlugin } from "./attach-plugins.ts";

interface Known {
  readonly groups: readonly string[];
  readonly plugins: readonly AttachedPlugin[];
  /** Names of {@link plugins}: for this consumer they stand in place of the route's. */
  readonly own: ReadonlySet<string>;
}

/** Those who call, as the configuration knows them: their groups, and the plugins that run for them alone. */
export class Consumers {
  private readonly known: ReadonlyMap<string, Known>;
  private readonly host: PluginHost;
  private readonly closers: (() => void | Promise<void>)[];
  /** A credential's consumer, and what it is together with its groups here. */
  private readonly joined = new WeakMap<Consumer, Consumer>();

  private constructor(known: ReadonlyMap<string, Known>, host: PluginHost, closers: (() => void | Promise<void>)[]) {
    this.known = known;
    this.host = host;
    this.closers = closers;
  }

  /** From `consumers` of portico.yaml: the consumers themselves, or the file that has them. */
  static async read(
    config: Config,
    loader: PluginLoader,
    host: PluginHost,
    closers: (() => void | Promise<void>)[],
    problems: Problem[],
  ): Promise<Consumers> {
    const known = new Map<string, Known>();
    const { source, name: file, at, value } = await consumersOf(config, problems);
    for (const [name, { groups = [], plugins: entries = [] }] of Object.entries(value)) {
      const from = { source, name: file, folder: config.folder };
      const attached = await attachAll(entries, [...at, name, "plugins"], from, loader, problems);
      known.set(name, { groups, plugins: attached, own: new Set(attached.map(({ plugin }) => plugin.name)) });
    }
    return new Consumers(known, host, closers);
  }

  /** The plugins of an operation, as its consumers change them. */
  async join(steps: readonly Step[], operation: Operation): Promise<readonly Step[]> {
    if (this.known.size === 0) return steps;
    const overridden = new Set([...this.known.values()].flatMap(({ own }) => [...own]));
    const stacks = new Map<string, Promise<Handler>>();
    // Each is set up once, with the snapshot: what is wrong with it is known before any request is.
    await Promise.all([...this.known.keys()].map((name) => this.stackOf(name, operation, stacks)));
    return [
      { phase: "authorize", name: "consumer-plugins", handler: this.runOwn(operation, stacks) },
      ...steps.map((step) => (overridden.has(step.name) ? this.unlessOverridden(step) : step)),
    ];
  }

  /** What follows authentication at once. */
  get afterAuthentication(): readonly Step[] {
    if (this.known.size === 0) return [];
    const handler: Handler = (exchange, next) => {
      const { consumer } = exchange;
      if (consumer !== undefined) exchange.consumer = this.withGroups(consumer);
      return next(exchange);
    };
    return [{ phase: "authenticate", name: "consumer-groups", handler }];
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

  private runOwn(operation: Operation, stacks: Map<string, Promise<Handler>>): Handler {
    return (exchange, next) => {
      const name = exchange.consumer?.name;
      if (name === undefined || (this.known.get(name)?.plugins.length ?? 0) === 0) return next(exchange);
      return this.stackOf(name, operation, stacks).then((handler) => handler(exchange, next));
    };
  }

  private unlessOverridden(step: Step): Step {
    const handler: Handler = (exchange, next) => {
      const { consumer } = exchange;
      const isOverridden = consumer !== undefined && this.known.get(consumer.name)?.own.has(step.name) === true;
      return isOverridden ? next(exchange) : step.handler(exchange, next);
    };
    return { ...step, handler };
  }

  private stackOf(name: string, operation: Operation, stacks: Map<string, Promise<Handler>>): Promise<Handler> {
    let stack = stacks.get(name);
    if (stack === undefined) {
      stack = this.setUp(name, operation);
      stacks.set(name, stack);
    }
    return stack;
  }

  private async setUp(name: string, operation: Operation): Promise<Handler> {
    const plugins = this.known.get(name)?.plugins ?? [];
    const steps = await Promise.all(
      plugins.map((plugin) => setUpPlugin(plugin, operation, undefined, this.host, this.closers)),
    );
    const handlers = inOrder(steps.filter((step) => step !== undefined)).map(({ handler }) => handler);
    return (exchange, next) => compose(handlers, next)(exchange);
  }
}

interface Found {
  readonly source: ConfigSource;
  readonly name: string;
  readonly at: readonly string[];
  readonly value: ConsumersOptions;
}

async function consumersOf(config: Config, problems: Problem[]): Promise<Found> {
  const { consumers = {} } = config.options;
  if (typeof consumers !== "string") return { ...config, at: ["consumers"], value: consumers };
  const source = await readConfigSource(resolve(config.folder, consumers));
  const nothing = { ...config, at: [], value: {} };
  if (Array.isArray(source)) {
    problems.push(...source);
    return nothing;
  }
  const found = checkOptions(source, ConsumersOptions, source.value, []);
  problems.push(...found);
  return found.length > 0 ? nothing : { source, name: consumers, at: [], value: source.value as ConsumersOptions };
}

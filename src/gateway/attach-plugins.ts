import type { TSchema } from "typebox";
import { checkOptions } from "../config/check.ts";
import type { PluginEntry } from "../config/plugin-entry.ts";
import type { Problem } from "../config/problem.ts";
import type { ConfigSource, Path } from "../config/source.ts";
import { systemClock } from "../core/clock.ts";
import type { CredentialBook } from "../core/credentials.ts";
import type { Next } from "../core/exchange.ts";
import { nameOf, type Operation, type SecurityScheme } from "../core/operation.ts";
import type { StateStore } from "../core/state-store.ts";
import { CALL_TIMEOUT_MS, type Logger, PHASES, type Phase, type Plugin } from "../pipeline/contract.ts";
import type { KeptObjects } from "../pipeline/kept.ts";
import type { PluginLoader } from "../pipeline/load-plugins.ts";
import type { Step } from "../pipeline/order.ts";
import { closerOf, toStep } from "../pipeline/set-up.ts";
import { Watchdog } from "../pipeline/watchdog.ts";
import type { PluginMeters } from "../telemetry/plugin-meters.ts";

/** One plugin as a configuration names it, with checked options, ready to be set up for operations. */
export interface AttachedPlugin {
  readonly id: string;
  /** {@link id} with its options: another one when they change. */
  readonly keptKey: string;
  readonly plugin: Plugin;
  readonly phase: Phase;
  readonly options: unknown;
  readonly folder: string;
  readonly shared: Map<string, object>;
  readonly watchdog: Watchdog | undefined;
  /** Takes what goes wrong when it is set up: once, however many operations it guards. */
  readonly complain: (error: unknown) => void;
}

/** The file that an entry stands in. */
export interface ConfiguredAt {
  readonly source: ConfigSource;
  /** The same in every gateway that has the same files. */
  readonly name: string;
  readonly folder: string;
}

/** Reads a list of entries; see {@link attachPlugin}. */
export async function attachAll(
  entries: readonly PluginEntry[],
  at: Path,
  from: ConfiguredAt,
  loader: PluginLoader,
  problems: Problem[],
): Promise<AttachedPlugin[]> {
  const names = entries.map((entry) => (typeof entry === "string" ? entry : Object.keys(entry)[0]));
  const ordinals = names.map((name, i) => names.slice(0, i).filter((earlier) => earlier === name).length);
  const attached = await Promise.all(
    entries.map((entry, i) => attachPlugin(entry, [...at, i], from, loader, problems, ordinals[i])),
  );
  return attached.filter((plugin) => plugin !== undefined);
}

/**
 * Reads one entry; what is wrong with it goes to `problems`, and then there is no plugin.
 * @param ordinal how many entries of its list are of the same plugin and stand before it
 */
export async function attachPlugin(
  entry: PluginEntry,
  at: Path,
  from: ConfiguredAt,
  loader: PluginLoader,
  problems: Problem[],
  ordinal = 0,
): Promise<AttachedPlugin | undefined> {
  const [name, given] = typeof entry === "string" ? [entry, {}] : (Object.entries(entry)[0] as [string, unknown]);
  const place = typeof entry === "string" ? at : [...at, name];
  let plugin: Plugin;
  try {
    plugin = await loader.load(name, from.folder);
  } catch (error) {
    problems.push(from.source.problem(at, `plugin ${name} cannot be loaded: ${reasonOf(error)}`));
    return undefined;
  }
  const options = structuredClone(given ?? {}) as Record<string, unknown>;
  const phase = takePhase(plugin, options);
  const found = checkOptions(from.source, strictly(plugin.options), options, place);
  if (phase === undefined) {
    found.push(from.source.problem([...place, "phase"], `phase must be one of ${PHASES.join(", ")}`));
  }
  problems.push(...found);
  if (found.length > 0 || phase === undefined) return undefined;
  const limitMs = plugin.callTimeoutMs ?? CALL_TIMEOUT_MS;
  let hasComplained = false;
  const complain = (error: unknown): void => {
    if (!hasComplained) problems.push(from.source.problem(place, `${name}: ${reasonOf(error)}`));
    hasComplained = true;
  };
  const watchdog = limitMs === 0 ? undefined : new Watchdog(limitMs);
  // Not by its place in the list: a plugin that is written before it must not begin a month's quota anew.
  const list = at.filter((step, i) => i < at.length - 1 || typeof step === "string");
  const id = `${from.name}:${[...list, name].join(".")}${ordinal === 0 ? "" : `#${ordinal + 1}`}`;
  const keptKey = `${id} ${plugin.name} ${JSON.stringify(options)}`;
  return { id, keptKey, plugin, phase, options, folder: from.folder, shared: new Map(), watchdog, complain };
}

/** A plugin may throw anything. */
const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const SETUP_TIMEOUT_MS = 30_000;

/** A plugin that is never ready would keep the gateway from starting, or a reload from ending, without a word. */
async function inTime<T>(work: T | Promise<T>): Promise<T> {
  if (!(work instanceof Promise)) return work;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`setup was not done after ${SETUP_TIMEOUT_MS / 1000} s`)),
      SETUP_TIMEOUT_MS,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Any plugin may be given another `phase` beside its options. @returns undefined when there is no such phase */
function takePhase(plugin: Plugin, options: Record<string, unknown>): Phase | undefined {
  const declared = (plugin.options as { properties?: object }).properties ?? {};
  if (!Object.hasOwn(options, "phase") || Object.hasOwn(declared, "phase")) return plugin.phase;
  const { phase } = options;
  delete options.phase;
  return PHASES.find((known) => known === phase);
}

const strict = new WeakMap<TSchema, TSchema>();

/** An unknown key is an error, also where the author of a plugin did not say so. */
function strictly(schema: TSchema): TSchema {
  if (!("properties" in schema) || "additionalProperties" in schema) return schema;
  let closed = strict.get(schema);
  if (closed === undefined) {
    closed = { ...schema, additionalProperties: false };
    strict.set(schema, closed);
  }
  return closed;
}

/** What the gateway lends to plugins. */
export interface PluginHost {
  readonly log: Logger;
  readonly store: StateStore;
  readonly allowFaults: boolean;
  readonly meters: PluginMeters;
  readonly kept: KeptObjects;
  readonly consumers: CredentialBook;
  forwardTo(operation: Operation, upstream: object): Next;
}

/**
 * Sets a plugin up for one operation.
 * @param closers takes what the instance owns
 * @returns undefined when it cannot be; its entry has complained
 */
export async function setUpPlugin(
  attached: AttachedPlugin,
  operation: Operation,
  scheme: SecurityScheme | undefined,
  host: PluginHost,
  closers: (() => void | Promise<void>)[],
): Promise<Step | undefined> {
  const { id, keptKey, plugin, phase, options, folder, shared, watchdog } = attached;
  try {
    const instance = await inTime(
      plugin.setup({
        options: options as never,
        operation,
        scheme,
        folder,
        clock: systemClock,
        id,
        log: host.log,
        metrics: host.meters.of(plugin.name, nameOf(operation)),
        store: host.store,
        consumers: host.consumers,
        allowFaults: host.allowFaults,
        forwardTo: (upstream) => host.forwardTo(operation, upstream),
        shared<T extends object>(create: () => T): T {
          let value = shared.get(plugin.name) as T | undefined;
          if (value === undefined) {
            value = create();
            shared.set(plugin.name, value);
            const close = (value as { close?: () => void }).close;
            if (typeof close === "function") closers.push(() => close.call(value));
          }
          return value;
        },
        kept: (create) => host.kept.get(keptKey, create),
      }),
    );
    const close = closerOf(instance);
    if (close !== undefined) closers.push(close);
    return toStep(plugin.name, instance, phase, watchdog);
  } catch (error) {
    attached.complain(error);
    return undefined;
  }
}

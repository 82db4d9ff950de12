import { checkOptions } from "../config/check.ts";
import type { Problem } from "../config/problem.ts";
import type { PluginEntry } from "../config/schema.ts";
import type { ConfigSource, Path } from "../config/source.ts";
import { systemClock } from "../core/clock.ts";
import type { Operation, SecurityScheme } from "../core/operation.ts";
import type { Logger, Plugin } from "../pipeline/contract.ts";
import { loadPlugin } from "../pipeline/load-plugins.ts";
import type { Step } from "../pipeline/order.ts";

/** One plugin as a configuration names it, with checked options, ready to be set up for operations. */
export interface AttachedPlugin {
  readonly plugin: Plugin;
  readonly options: unknown;
  readonly folder: string;
  readonly shared: Map<string, object>;
}

/** Reads one entry; what is wrong with it goes to `problems`, and then there is no plugin. */
export async function attachPlugin(
  entry: PluginEntry,
  at: Path,
  from: { readonly source: ConfigSource; readonly folder: string },
  problems: Problem[],
): Promise<AttachedPlugin | undefined> {
  const [name, given] = typeof entry === "string" ? [entry, {}] : (Object.entries(entry)[0] as [string, unknown]);
  try {
    const plugin = await loadPlugin(name, from.folder);
    const options = structuredClone(given ?? {});
    const found = checkOptions(from.source, plugin.options, options, typeof entry === "string" ? at : [...at, name]);
    problems.push(...found);
    return found.length > 0 ? undefined : { plugin, options, folder: from.folder, shared: new Map() };
  } catch (error) {
    problems.push(from.source.problem(at, `plugin ${name} cannot be loaded: ${(error as Error).message}`));
    return undefined;
  }
}

/** Sets a plugin up for one operation. @param closers takes what the instance owns */
export async function setUpPlugin(
  attached: AttachedPlugin,
  operation: Operation,
  scheme: SecurityScheme | undefined,
  log: Logger,
  closers: (() => void | Promise<void>)[],
): Promise<Step> {
  const { plugin, options, folder, shared } = attached;
  const instance = await plugin.setup({
    options: options as never,
    operation,
    scheme,
    folder,
    log,
    clock: systemClock,
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
  });
  if (typeof instance === "function") return { phase: plugin.phase, name: plugin.name, handler: instance };
  if (instance.close !== undefined) closers.push(() => instance.close?.());
  const preflight = instance.preflight?.bind(instance);
  return { phase: instance.phase ?? plugin.phase, name: plugin.name, handler: instance.handler, preflight };
}

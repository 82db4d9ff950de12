import type { Handler } from "../core/exchange.ts";
import type { Phase, PluginExtras, PluginInstance } from "./contract.ts";
import { guard } from "./guard.ts";
import type { Hooks } from "./hooks.ts";
import { hookStep, type Step } from "./order.ts";
import type { Watchdog } from "./watchdog.ts";

/** What `setup` of a plugin returned, in the one shape of the pipeline. @param phase where it says none itself */
export function toStep(name: string, instance: PluginInstance, phase: Phase, watchdog: Watchdog | undefined): Step {
  const { handler, hooks, extras } = read(instance);
  const own = extras.phase ?? phase;
  return {
    ...(hooks === undefined
      ? { phase: own, name, handler: guard(name, handler, watchdog) }
      : hookStep(own, { name, hooks })),
    identityHeaders: extras.identityHeaders ?? [],
    preflight: extras.preflight?.bind(extras),
  };
}

type Read = { extras: PluginExtras } & (
  | { handler: Handler; hooks?: undefined }
  | { hooks: Hooks; handler?: undefined }
);

function read(instance: PluginInstance): Read {
  if (typeof instance === "function") return { handler: instance, extras: {} };
  if ("handler" in instance) return { handler: instance.handler, extras: instance };
  if ("hooks" in instance) return { hooks: instance.hooks, extras: instance };
  if (instance.onRequest === undefined && instance.onResponse === undefined) {
    throw new TypeError("setup returned neither a handler nor hooks");
  }
  return { hooks: instance, extras: {} };
}

/** Ends what an instance owns. */
export const closerOf = (instance: PluginInstance): (() => void | Promise<void>) | undefined =>
  "close" in instance ? instance.close?.bind(instance) : undefined;

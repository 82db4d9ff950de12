import type { Static, TSchema } from "typebox";
import type { Clock } from "../core/clock.ts";
import type { CredentialBook } from "../core/credentials.ts";
import type { Exchange, GatewayResponse, Handler, Next } from "../core/exchange.ts";
import type { Operation, SecurityScheme } from "../core/operation.ts";
import type { StateStore } from "../core/state-store.ts";
import type { PluginMetrics } from "../telemetry/plugin-meters.ts";
import type { Hooks } from "./hooks.ts";

/** Where in the life of a request a handler runs, outermost first. */
export const PHASES = [
  "observe",
  "limit-address",
  "authenticate",
  "authorize",
  "limit",
  "validate",
  "transform",
  "cache",
  "forward",
] as const;
export type Phase = (typeof PHASES)[number];

export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What a plugin is given when it is set up: once for each operation that it guards. */
export interface SetupContext<Options> {
  readonly options: Options;
  readonly operation: Operation;
  /** When it stands under `security`: the scheme of the spec that it enforces. */
  readonly scheme: SecurityScheme | undefined;
  /** Folder of the file that configures it: relative paths in options start there. */
  readonly folder: string;
  readonly log: Logger;
  /** Of this plugin on this operation: they stand in the admin API's /metrics. */
  readonly metrics: PluginMetrics;
  readonly clock: Clock;
  /** Names this entry of the configuration, the same in every gateway that has the same files. */
  readonly id: string;
  /** `store` of the configuration: Redis, a folder on disk, or else memory. */
  readonly store: StateStore;
  /** The credentials of the consumers that configuration and admin API name. */
  readonly consumers: CredentialBook;
  /** True when the configuration says `allowFaults: true`: this is not where customers are. */
  readonly allowFaults: boolean;
  /**
   * Sends to another service than the route's, with its timeouts and retries.
   * @param upstream as `upstream` of a route
   * @throws Error when it names no service that is known
   */
  forwardTo(upstream: object): Next;
  /**
   * One object for all operations that this entry of the configuration guards: a rate limit of a route counts all of
   * its operations together. Made by the first caller, closed with the snapshot.
   */
  shared<T extends object>(create: () => T): T;
  /**
   * The same, kept across reloads while the entry's options stay as they are: what has been counted goes on counting.
   * It owns nothing that must be closed.
   */
  kept<T extends object>(create: () => T): T;
}

export interface Plugin<Schema extends TSchema = TSchema> {
  readonly name: string;
  readonly phase: Phase;
  /** JSON Schema of its options; its descriptions are the reference page. */
  readonly options: Schema;
  /** @returns the handler, or hooks; close() of what it owns is called when its snapshot is replaced */
  setup(context: SetupContext<Static<Schema>>): PluginInstance | Promise<PluginInstance>;
  /**
   * Milliseconds that a call may take before it calls `next`, or answers itself, and again from the answer of `next` to
   * its own; what `next` takes is not counted. Beyond that the client gets 500 PLUGIN_FAILED. Default
   * {@link CALL_TIMEOUT_MS}; 0: no limit, for what reads bodies or waits.
   */
  readonly callTimeoutMs?: number;
}

export const CALL_TIMEOUT_MS = 10_000;

export type PluginInstance =
  | Handler
  | Hooks
  | (PluginExtras & { readonly handler: Handler })
  | (PluginExtras & { readonly hooks: Hooks });

export interface PluginExtras {
  /** Where its options say it should run, when that is not the plugin's own phase. */
  readonly phase?: Phase | undefined;
  /**
   * Answers a CORS preflight for the operation, which no other handler sees.
   * @param methods that the path has
   * @returns undefined to leave it to the next plugin
   */
  preflight?(exchange: Exchange, methods: readonly string[]): GatewayResponse | undefined;
  /**
   * Request fields that only this plugin may set. What a client sends under these names is dropped before any plugin
   * runs, even where another way to authenticate is taken. ATTACKS 17.
   */
  readonly identityHeaders?: readonly string[];
  close?(): void | Promise<void>;
}

/** Only types: says that an object is a plugin and infers its options. */
export const definePlugin = <Schema extends TSchema>(plugin: Plugin<Schema>): Plugin<Schema> => plugin;

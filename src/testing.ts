/** The test kit for plugins: one of them, run against exchanges without sockets. */
import type { IncomingMessage } from "node:http";
import type { Static, TSchema } from "typebox";
import { checkOptions } from "./config/check.ts";
import { inlineSource } from "./config/source.ts";
import { type Clock, systemClock } from "./core/clock.ts";
import type { CredentialBook } from "./core/credentials.ts";
import {
  type Body,
  type Consumer,
  Exchange,
  type GatewayRequest,
  type GatewayResponse,
  type Handler,
  type Next,
} from "./core/exchange.ts";
import { HeaderList } from "./core/headers.ts";
import type { Operation, SecurityScheme } from "./core/operation.ts";
import { toProblem } from "./core/problem.ts";
import type { StateStore } from "./core/state-store.ts";
import { CALL_TIMEOUT_MS, type Logger, type Plugin } from "./pipeline/contract.ts";
import { closerOf, toStep } from "./pipeline/set-up.ts";
import { Watchdog } from "./pipeline/watchdog.ts";
import { createMemoryState } from "./storage/memory-state.ts";
import { PluginMeters } from "./telemetry/plugin-meters.ts";

/** What of a request a test cares about; the rest is a plain GET. */
export interface TestRequest {
  readonly method?: string;
  /** With its query: `/pets?limit=2`. */
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string>> | readonly (readonly [string, string])[];
  readonly body?: Body | string;
  readonly address?: string;
  readonly pathParameters?: Readonly<Record<string, string>>;
  readonly consumer?: Consumer;
  /** Node's own request, for plugins that look at its socket. */
  readonly incoming?: IncomingMessage;
}

export interface TestResult {
  /** As a client gets it: a refusal is the problem document. */
  readonly response: GatewayResponse;
  /** The problem document, when the request was refused. */
  readonly problem: { readonly code: string; readonly detail: string; readonly status: number } | undefined;
  /** The request as it was passed on; undefined when it was not. */
  readonly passed: GatewayRequest | undefined;
  readonly exchange: Exchange;
}

export interface TestOptions {
  readonly operation?: Partial<Operation>;
  readonly scheme?: SecurityScheme;
  /** Start of relative paths in options. Default: the working directory. */
  readonly folder?: string;
  readonly clock?: Clock;
  readonly log?: Logger;
  /** Default: an empty one in memory. */
  readonly store?: StateStore;
  /** Default: nobody has any credential. */
  readonly consumers?: CredentialBook;
  /** What answers for another service that the plugin sends to. Default: 200 without a body. */
  readonly forward?: Next;
  /** What answers when the plugin passes a request on. Default: 200 without a body. */
  readonly upstream?: (exchange: Exchange) => GatewayResponse | Promise<GatewayResponse>;
}

export interface PluginUnderTest {
  /** As the pipeline calls it, for what `send` does not do: to run several in a row, or to measure one. */
  readonly handler: Handler;
  send(request?: TestRequest): Promise<TestResult>;
  /** What it has measured, as Prometheus reads it. */
  metrics(): string;
  close(): Promise<void>;
}

/**
 * Sets a plugin up as the gateway does: options checked, defaults filled in, exceptions turned into problems.
 * @throws Error that says what is wrong with the options
 */
export async function testPlugin<Schema extends TSchema>(
  plugin: Plugin<Schema>,
  given: Record<string, unknown> = {},
  test: TestOptions = {},
): Promise<PluginUnderTest> {
  const options = structuredClone(given);
  const problems = checkOptions(inlineSource("(options)", options), plugin.options, options, [plugin.name]);
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join("\n"));
  let shared: object | undefined;
  let kept: object | undefined;
  const meters = new PluginMeters();
  const instance = await plugin.setup({
    options: options as Static<Schema>,
    operation: { ...OPERATION, ...test.operation },
    scheme: test.scheme,
    folder: test.folder ?? process.cwd(),
    log: test.log ?? SILENT,
    metrics: meters.of(plugin.name, "GET /"),
    clock: test.clock ?? systemClock,
    id: `test:${plugin.name}`,
    store: test.store ?? createMemoryState(test.clock ?? systemClock),
    consumers: test.consumers ?? { version: 0, has: () => false, find: () => undefined },
    allowFaults: true,
    forwardTo: () => test.forward ?? (async () => ({ status: 200, headers: new HeaderList(), body: null })),
    shared<T extends object>(create: () => T): T {
      shared ??= create();
      return shared as T;
    },
    kept<T extends object>(create: () => T): T {
      kept ??= create();
      return kept as T;
    },
  });
  const limitMs = plugin.callTimeoutMs ?? CALL_TIMEOUT_MS;
  const watchdog = limitMs === 0 ? undefined : new Watchdog(limitMs);
  const { handler: guarded } = toStep(plugin.name, instance, plugin.phase, watchdog);
  return {
    handler: guarded,
    async send(request = {}) {
      const exchange = toExchange(request, { ...OPERATION, ...test.operation });
      let passed: GatewayRequest | undefined;
      const next = async (held: Exchange): Promise<GatewayResponse> => {
        passed = { ...held.request, headers: held.request.headers.clone() };
        return test.upstream?.(held) ?? { status: 200, headers: new HeaderList(), body: null };
      };
      try {
        return { response: await guarded(exchange, next), problem: undefined, passed, exchange };
      } catch (error) {
        const response = toProblem(error, exchange.id);
        const problem = JSON.parse(String(response.body)) as NonNullable<TestResult["problem"]>;
        return { response, problem, passed, exchange };
      }
    },
    metrics: () => meters.render(),
    async close() {
      await closerOf(instance)?.();
      await (shared as { close?: () => void | Promise<void> } | undefined)?.close?.();
    },
  };
}

function toExchange(request: TestRequest, operation: Operation): Exchange {
  const { method = "GET", target = "/", headers = {}, address = "192.0.2.1" } = request;
  const [path = "/", query = ""] = target.split("?", 2);
  const fields = HeaderList.from(Array.isArray(headers) ? headers : (headers as Record<string, string>));
  const exchange = new Exchange({
    id: "test",
    request: {
      method,
      target,
      path,
      query,
      headers: fields,
      body: typeof request.body === "string" ? Buffer.from(request.body) : (request.body ?? null),
      httpVersion: "1.1",
      scheme: "http",
      authority: fields.get("host") ?? "localhost",
    },
    client: { address, peer: address },
    startedAtMs: performance.now(),
    node: { incoming: request.incoming, outgoing: undefined },
  });
  exchange.operation = operation;
  exchange.consumer = request.consumer;
  exchange.pathParameters = request.pathParameters ?? exchange.pathParameters;
  return exchange;
}

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

const OPERATION: Operation = {
  id: "test",
  method: "GET",
  path: "/",
  publicPath: "/",
  bases: [""],
  summary: undefined,
  tags: [],
  deprecated: false,
  parameters: [],
  requestBody: undefined,
  responses: new Map(),
  security: [],
  servers: [],
  extensions: {},
  location: { file: "test" },
  spec: { title: "Test", version: "1", file: "test", document: {}, bundle: (schema) => schema },
};

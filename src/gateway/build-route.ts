import { createStickyHandler } from "../balancing/sticky.ts";
import type { Cache } from "../caching/cache.ts";
import { type CacheExplanation, explainCache } from "../caching/explain.ts";
import { createCacheHandler } from "../caching/handler.ts";
import type { OperationOptions, RouteOptions } from "../config/schema.ts";
import { GatewayError } from "../core/errors.ts";
import { compose, type Exchange, type Handler, type Next } from "../core/exchange.ts";
import type { Operation, SecurityScheme } from "../core/operation.ts";
import { baseCounter } from "../core/path-expression.ts";
import type { Balancer } from "../core/upstream.ts";
import { createFallbackHandler } from "../forwarding/fallback.ts";
import { createHttpTry, type UpstreamPools } from "../forwarding/http.ts";
import type { ConnectOptions } from "../forwarding/pools.ts";
import { createForwardedHeaders, TRUSTED_FORWARDED } from "../forwarding/request-headers.ts";
import { createRetrying } from "../forwarding/retry.ts";
import type { TryOnce } from "../forwarding/try.ts";
import { createWebSocketTry } from "../forwarding/websocket.ts";
import { createIdentityStripper, setIdentity } from "../pipeline/identity.ts";
import { inOrder, type Preflight, type Step, toHandlers } from "../pipeline/order.ts";
import { createSecuritySteps, type Enforcer } from "../pipeline/security.ts";
import { findNormalisedPath } from "../routing/normalise.ts";
import { createMock } from "../validating/mock/mock.ts";
import { createRequestValidator } from "../validating/request.ts";
import { createResponseValidator } from "../validating/response.ts";

import { answerErrors } from "./answer-errors.ts";
import { createLifecycleStep } from "./lifecycle.ts";
import { readSmallBody } from "./small-body.ts";
import { createWithheldFields } from "./withheld-fields.ts";

export interface RouteParts {
  readonly operation: Operation;
  /** The route's keys with the operation's own over them. */
  readonly options: OperationOptions & Pick<RouteOptions, "prefix" | "stripPrefix">;
  readonly plugins: readonly Step[];
  /** What follows authentication at once. */
  readonly afterAuthentication: readonly Step[];
  /** A handler for each security scheme; undefined when the service guards itself. */
  readonly enforcers: ReadonlyMap<string, Enforcer> | undefined;
  /** Undefined when the route has no service yet, and mocks answer. */
  readonly balancer: Balancer | undefined;
  readonly pools: UpstreamPools;
  readonly connect: ConnectOptions;
  readonly bodyBytes: number;
  readonly cache: Cache;
  /** Every operation of its spec, and the schemes that guard them. */
  readonly siblings: readonly Operation[];
  readonly schemes: ReadonlyMap<string, SecurityScheme>;
}

export interface BuiltRoute {
  readonly operation: Operation;
  /** What `portico explain` shows, outermost first. */
  readonly stack: readonly Step[];
  /** What the cache does for it; shown likewise. */
  readonly caching: CacheExplanation;
  readonly handle: Next;
  readonly preflight: Preflight | undefined;
  /** Compiles what the first request would have to wait for. */
  readonly prepare: (() => void) | undefined;
}

/** The visible stack of one operation, outermost first. Composed once, when the snapshot is built. */
export function buildRoute(parts: RouteParts): BuiltRoute {
  const { operation, options, bodyBytes } = parts;
  const security = parts.enforcers === undefined ? [] : createSecuritySteps(operation, parts.enforcers);
  const validate = createRequestValidator(operation, options.validate ?? {}, { bodyBytes });

  const isSticky = options.upstream?.balance?.policy === "sticky";
  const guards = [...(parts.enforcers?.values() ?? [])].flatMap(({ step }) => (step === "upstream" ? [] : [step]));
  const owners = [...parts.plugins, ...guards];
  const stack = inOrder([
    ...step("observe", "strip-identity", createIdentityStripper(owners)),
    ...step("observe", "withheld-fields", createWithheldFields(operation, parts.schemes, owners)),
    ...parts.plugins,
    ...(parts.plugins.some(({ phase }) => phase === "observe") ? [answerErrors] : []),
    ...[createLifecycleStep(operation) ?? []].flat(),
    ...security,
    ...parts.afterAuthentication,
    ...step("authenticate", "identity", setIdentity),
    ...step("validate", "validate-response", createResponseValidator(operation, options.validate ?? {}, { bodyBytes })),
    ...step("validate", "validate-request", validate?.handler),
    ...step("cache", "mock", createMock(operation, options.mock, parts.balancer !== undefined)),
    ...step("cache", "fallback", options.fallback && createFallbackHandler(options.fallback, operation)),
    ...step("cache", "sticky-cookie", isSticky ? createStickyHandler(options.upstream?.balance ?? {}) : undefined),
    // Innermost of its phase: what the others add to an answer is for one client, and never stored.
    ...step(
      "cache",
      "cache",
      createCacheHandler({ ...parts, options: options.cache ?? {}, saidHost, normalise: findNormalisedPath }),
    ),
    ...step("forward", "small-body", readSmallBody),
    ...step("forward", "forwarded-headers", createForwardedHeaders(parts.pools.pseudonym)),
  ]);
  return {
    operation,
    stack,
    get caching() {
      return explainCache(operation, options.cache ?? {}, parts.siblings, parts.schemes);
    },
    prepare: validate?.prepare,
    preflight: composePreflight(stack),
    handle: compose(
      toHandlers(stack),
      parts.balancer === undefined ? answerNothing : createForward(parts, parts.balancer),
    ),
  };
}

/** The hosts that a trusted proxy says its client asked for: the service is told of them, so they are part of what is cached. */
function saidHost(exchange: Exchange): string | undefined {
  const said = exchange.get(TRUSTED_FORWARDED);
  if (said === undefined) return undefined;
  const hosts =
    said
      .get("forwarded")
      ?.match(/\bhost=(?:"[^"]*"|[^;,]*)/gi)
      ?.join() ?? "";
  return `${said.get("x-forwarded-host") ?? ""} ${hosts}`;
}

/** The first answer that a plugin has for a preflight. */
function composePreflight(stack: readonly Step[]): Preflight | undefined {
  const all = stack.flatMap(({ preflight }) => preflight ?? []);
  if (all.length < 2) return all[0];
  return (exchange, methods) => {
    for (const preflight of all) {
      const answer = preflight(exchange, methods);
      if (answer !== undefined) return answer;
    }
    return undefined;
  };
}

/** Of a route that has no service: its mock has answered before. */
const answerNothing: Next = () => Promise.reject(new GatewayError("NO_INSTANCE", "the route has no upstream"));

/** Asks an instance of the balancer's service, and another one where that is safe. */
function createForward(parts: ForwardParts, balancer: Balancer): Next {
  const { options } = parts;
  const tryOnce = createTry(parts, balancer);
  return createRetrying(balancer, tryOnce, {
    retries: options.retries ?? {},
    timeouts: options.timeouts ?? {},
    hedge: options.hedge,
  });
}
type ForwardParts = Pick<RouteParts, "operation" | "options" | "pools" | "connect">;

/** The way to another service than the route's own, for a plugin. */
export function createSideForward(parts: ForwardParts, balancer: Balancer): Next {
  return compose([createForwardedHeaders(parts.pools.pseudonym)], createForward(parts, balancer));
}

const step = (phase: Step["phase"], name: string, handler: Handler | undefined): Step[] =>
  handler === undefined ? [] : [{ phase, name, handler }];

/** Over HTTP; where the spec or the route allows it, over a WebSocket, too. */
function createTry({ operation, options, pools, connect }: ForwardParts, balancer: Balancer): TryOnce {
  const isStripped = options.stripPrefix ?? options.prefix !== undefined;
  const tryOptions = {
    timeouts: options.timeouts ?? {},
    preserveHost: options.preserveHost ?? false,
    stripSegments: isStripped ? baseCounter(operation) : () => 0,
  };
  const http = createHttpTry(balancer, pools.group(connect), tryOptions);
  const websocket = options.websocket ?? operation.responses.has("101");
  if (websocket === false) return http;
  return createWebSocketTry(balancer, http, {
    ...tryOptions,
    connect,
    guard: pools.guard,
    websocket: websocket === true ? {} : websocket,
  });
}

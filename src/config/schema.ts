import { BalancingOptions } from "../balancing/options.ts";
import { CacheOptions, StoreOptions } from "../caching/options.ts";
import { Type } from "../core/type.ts";
import { DiscoveryOptions, UpstreamOptions as FoundUpstreamOptions, Networks } from "../discovery/options.ts";
import {
  connectOptions,
  FallbackOptions,
  HedgeOptions,
  RetryOptions,
  TimeoutOptions,
  WebsocketOptions,
} from "../forwarding/options.ts";
import { MockOptions } from "../validating/mock/options.ts";
import { ValidateOptions } from "../validating/options.ts";
import { ConsumersOptions } from "./consumer-options.ts";
import { LimitOptions, ListenOptions } from "./listen-options.ts";
import { PluginEntry } from "./plugin-entry.ts";
import { RegistryOptions } from "./registry-options.ts";

const strict = { additionalProperties: false } as const;

const SecurityOptions = Type.Union([
  Type.Literal("upstream", { description: "The service guards itself." }),
  Type.Record(Type.String(), Type.Union([Type.Literal("upstream"), Type.Record(Type.String(), Type.Unknown())])),
]);

/** Who answers, and how one of them is chosen. */
export const UpstreamOptions = Type.Object(
  { ...FoundUpstreamOptions.properties, ...BalancingOptions.properties },
  strict,
);
export type UpstreamOptions = Type.Static<typeof UpstreamOptions>;
export const BALANCING_KEYS = Object.keys(BalancingOptions.properties) as (keyof BalancingOptions)[];

const shared = {
  security: Type.Optional(SecurityOptions),
  plugins: Type.Optional(Type.Array(PluginEntry)),
  validate: Type.Optional(ValidateOptions),
  mock: Type.Optional(MockOptions),
  cache: Type.Optional(CacheOptions),
  timeouts: Type.Optional(TimeoutOptions),
  retries: Type.Optional(RetryOptions),
  hedge: Type.Optional(HedgeOptions),
  fallback: Type.Optional(FallbackOptions),
  ...connectOptions,
  websocket: Type.Optional(
    Type.Union([Type.Boolean(), WebsocketOptions], {
      description: "Allow an upgrade. Default: only with a 101 in the spec.",
    }),
  ),
};

export const OperationOptions = Type.Object({ ...shared, upstream: Type.Optional(UpstreamOptions) }, strict);
export type OperationOptions = Type.Static<typeof OperationOptions>;

/** A name or an address as `Host` has it, its port left out. */
const Host = Type.String({ pattern: "^(?:\\*\\.)?(?:[^\\s/:*?#@\\[\\]]+|\\[[0-9a-fA-F:.]+\\])$" });

export const RouteOptions = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    openapi: Type.String({ description: "A spec, or a folder of them, from the folder of this file." }),
    references: Type.Optional(
      Type.String({
        description:
          "A folder that `$ref` may lead to, from the folder of this file. Default: the spec's own, and those of the project.",
      }),
    ),
    prefix: Type.Optional(
      Type.String({
        pattern: "^(/.*[^/])?$",
        description: "Stands before every path of the spec. Default: the path of its first server.",
      }),
    ),
    stripPrefix: Type.Optional(
      Type.Boolean({ description: "The upstream does not see the prefix. Default: true when a prefix is written." }),
    ),
    host: Type.Optional(
      Type.Union([Host, Type.Array(Host)], {
        description: "Answered for these hosts only: api.example.com, or *.example.com; no scheme, no port.",
      }),
    ),
    upstream: Type.Optional(UpstreamOptions),
    ...shared,
    operations: Type.Optional(Type.Record(Type.String(), OperationOptions)),
  },
  strict,
);
export type RouteOptions = Type.Static<typeof RouteOptions>;

export const PorticoOptions = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    listen: Type.Optional(ListenOptions),
    admin: Type.Optional(
      Type.Object(
        {
          host: Type.Optional(Type.String()),
          port: Type.Optional(Type.Integer()),
          token: Type.Optional(Type.String({ minLength: 1 })),
          consumers: Type.Optional(
            Type.String({ description: "A folder for the consumers that /v1/consumers makes, changes and ends." }),
          ),
          apiKeys: Type.Optional(
            Type.String({ description: "The `store` of api-key whose keys /v1/api-keys makes and ends." }),
          ),
        },
        strict,
      ),
    ),
    portal: Type.Optional(
      Type.Union([Type.Literal(false), Type.Object({ path: Type.Optional(Type.String()) }, strict)]),
    ),
    routes: Type.Optional(Type.String({ description: "Folder of route files. Default: ./routes" })),
    plugins: Type.Optional(Type.Array(PluginEntry)),
    registry: Type.Optional(RegistryOptions),
    discovery: Type.Optional(DiscoveryOptions),
    limits: Type.Optional(LimitOptions),
    consumers: Type.Optional(
      Type.Union([Type.String(), ConsumersOptions], { description: "Those who call, or the file that lists them." }),
    ),
    trustedProxies: Type.Optional(Type.Array(Networks.items, { description: "Addresses or networks, as 10.0.0.0/8." })),
    store: Type.Optional(StoreOptions),
    allowFaults: Type.Optional(
      Type.Boolean({ description: "Let the fault plugin delay and break requests. Never where customers are." }),
    ),
  },
  strict,
);
export type PorticoOptions = Type.Static<typeof PorticoOptions>;

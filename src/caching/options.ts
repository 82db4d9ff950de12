import { Type } from "../core/type.ts";
import { SIZE_PATTERN } from "../core/units.ts";

/** How answers are stored and reused. RFC 9111. */
export const CacheOptions = Type.Object(
  {
    mode: Type.Optional(
      Type.Union([Type.Literal("standard"), Type.Literal("off")], { description: "Default: standard (RFC 9111)." }),
    ),
    heuristic: Type.Optional(
      Type.Boolean({ description: "Guess a lifetime from Last-Modified (RFC 9111 §4.2.2). Default: false." }),
    ),
    ttlSeconds: Type.Optional(
      Type.Number({ minimum: 0, description: "Lifetime where the upstream says nothing of it." }),
    ),
    key: Type.Optional(
      Type.Union([Type.Literal("url"), Type.Literal("declared")], {
        description:
          "declared: only the query, header and cookie parameters of the spec make the key and reach the upstream. Default: url, the whole query.",
      }),
    ),
    errors: Type.Optional(
      Type.Boolean({
        description: "Store 4xx and 5xx answers for which the upstream states a lifetime. Default: true.",
      }),
    ),
    setCookie: Type.Optional(
      Type.Boolean({ description: "Store answers that set a cookie, with the cookie. Default: false." }),
    ),
    staleIfUnreachableSeconds: Type.Optional(
      Type.Number({
        minimum: 0,
        description:
          "Stale answers stand in that long for an upstream that cannot be reached or does not answer, unless forbidden (RFC 9111 §4.2.4). Default: 30.",
      }),
    ),
    sharePublic: Type.Optional(
      Type.Boolean({
        description:
          "On operations with security: answers the upstream calls public are shared by all consumers. Default: false.",
      }),
    ),
  },
  { additionalProperties: false },
);
export type CacheOptions = Type.Static<typeof CacheOptions>;

/** Where answers are kept. */
export const StoreOptions = Type.Object(
  {
    redis: Type.Optional(Type.String({ description: "redis://host:port: shared by many machines." })),
    redisTimeoutMs: Type.Optional(
      Type.Integer({
        minimum: 1,
        description:
          "A limit, quota or stored answer that Redis takes longer for goes by its onStoreFailure. Default: 250.",
      }),
    ),
    disk: Type.Optional(
      Type.String({ description: "A folder: shared by the processes of one machine, survives a restart." }),
    ),
    diskBytes: Type.Optional(
      Type.Union([Type.Integer({ minimum: 0 }), Type.String({ pattern: SIZE_PATTERN })], {
        description: "At most, on disk. Default: 1GiB.",
      }),
    ),
    memoryBytes: Type.Optional(
      Type.Union([Type.Integer({ minimum: 0 }), Type.String({ pattern: SIZE_PATTERN })], {
        description: "At most, in memory. Default: 64MiB.",
      }),
    ),
    memoryEntries: Type.Optional(Type.Integer({ minimum: 0, description: "At most, in memory. Default: 100000." })),
    entryBytes: Type.Optional(
      Type.Union([Type.Integer({ minimum: 0 }), Type.String({ pattern: SIZE_PATTERN })], {
        description: "One answer at most. Default: 8MiB.",
      }),
    ),
  },
  { additionalProperties: false },
);
export type StoreOptions = Type.Static<typeof StoreOptions>;

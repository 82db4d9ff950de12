import Type from "typebox";

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
  },
  { additionalProperties: false },
);
export type CacheOptions = Type.Static<typeof CacheOptions>;

import Type from "typebox";

export const TargetOptions = Type.Object(
  {
    url: Type.String({ pattern: "^https?://", description: "Origin, with a base path if the service has one." }),
    weight: Type.Optional(Type.Number({ minimum: 0, description: "Relative share. Default: 1." })),
    zone: Type.Optional(Type.String({ minLength: 1, description: "Where it stands; see upstream.zone." })),
    version: Type.Optional(Type.String({ minLength: 1, description: "What it runs; see upstream.versions." })),
  },
  { additionalProperties: false },
);

export type TargetOptions = Type.Static<typeof TargetOptions>;

/** Who answers: a name in a registry, or addresses. */
export const UpstreamOptions = Type.Object(
  {
    service: Type.Optional(Type.String({ minLength: 1, description: "Name in the registry." })),
    from: Type.Optional(Type.String({ description: "Discovery source. Default: registry." })),
    targets: Type.Optional(Type.Array(TargetOptions, { minItems: 1 })),
  },
  { additionalProperties: false },
);
export type UpstreamOptions = Type.Static<typeof UpstreamOptions>;

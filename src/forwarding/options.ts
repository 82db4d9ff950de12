import Type from "typebox";

export const TimeoutOptions = Type.Object(
  {
    connectMs: Type.Optional(Type.Integer({ minimum: 1, description: "To open a connection. Default: 1000." })),
    headersMs: Type.Optional(Type.Integer({ minimum: 1, description: "Until the answer's headers. Default: 15000." })),
    bodyIdleMs: Type.Optional(
      Type.Integer({ minimum: 1, description: "Between two parts of a body. Default: 30000." }),
    ),
  },
  { additionalProperties: false },
);
export type TimeoutOptions = Type.Static<typeof TimeoutOptions>;

export const RetryOptions = Type.Object(
  {
    attempts: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 10, description: "Further tries, each on another instance. Default: 2." }),
    ),
    budget: Type.Optional(
      Type.String({ description: "Retries as a share of requests, so that there is no retry storm. Default: 20%." }),
    ),
  },
  { additionalProperties: false },
);
export type RetryOptions = Type.Static<typeof RetryOptions>;

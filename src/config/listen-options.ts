import Type from "typebox";

const strict = { additionalProperties: false } as const;
const Size = Type.Union([Type.String(), Type.Number({ minimum: 0 })], { description: "A size such as 32KiB." });

export const ListenOptions = Type.Object(
  {
    host: Type.Optional(Type.String({ description: "Default: 127.0.0.1." })),
    port: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 65535, description: "Default: 8080; 0 takes a free one." }),
    ),
  },
  strict,
);
export type ListenOptions = Type.Static<typeof ListenOptions>;

export const LimitOptions = Type.Object(
  {
    headerBytes: Type.Optional(Size),
    headers: Type.Optional(Type.Integer({ minimum: 1, description: "Header fields in a request. Default: 100." })),
    bodyBytes: Type.Optional(Size),
    headerSeconds: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, description: "For a header section to arrive. Default: 10." }),
    ),
    requestSeconds: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, description: "For a whole request to arrive. Default: 300." }),
    ),
    bodyIdleSeconds: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, description: "A client may stall that long amid a body. Default: 8." }),
    ),
    keepAliveSeconds: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, description: "Between two requests of a connection. Default: 60." }),
    ),
    connections: Type.Optional(Type.Integer({ minimum: 1, description: "Open at once. Default: 65536." })),
    connectionsPerAddress: Type.Optional(
      Type.Integer({ minimum: 1, description: "Open at once from one address. Default: no limit of its own." }),
    ),
    shutdownSeconds: Type.Optional(
      Type.Number({ minimum: 0, description: "For requests in work when the gateway ends. Default: 30." }),
    ),
    inFlight: Type.Optional(
      Type.Integer({ minimum: 1, description: "Requests in work; above, 503 with Retry-After. Default: 20000." }),
    ),
    eventLoopDelayMs: Type.Optional(
      Type.Integer({ minimum: 1, description: "A later event loop sheds with 503 and Retry-After. Default: 1000." }),
    ),
  },
  strict,
);
export type LimitOptions = Type.Static<typeof LimitOptions>;

import { Type } from "../core/type.ts";

export const TimeoutOptions = Type.Object(
  {
    connectMs: Type.Optional(Type.Integer({ minimum: 1, description: "To open a connection. Default: 1000." })),
    headersMs: Type.Optional(Type.Integer({ minimum: 1, description: "Until the answer's headers. Default: 15000." })),
    bodyIdleMs: Type.Optional(
      Type.Integer({ minimum: 1, description: "Between two parts of a body. Default: 30000." }),
    ),
    totalMs: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: "Until the answer's headers, all tries together; the others hold for each try. Default: none.",
      }),
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
      Type.String({
        pattern: "^\\d+(\\.\\d+)?%$",
        description: "Retries as a share of requests, so that there is no retry storm. Default: 20%.",
      }),
    ),
    statuses: Type.Optional(
      Type.Array(Type.Integer({ minimum: 400, maximum: 599 }), {
        description:
          "Answers to idempotent requests for which another instance is asked. Default: 500, 502, 503 and 504.",
      }),
    ),
    backoffMs: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: "Before the first retry, at most; doubles with each; chance decides how much of it. Default: 25.",
      }),
    ),
  },
  { additionalProperties: false },
);
export type RetryOptions = Type.Static<typeof RetryOptions>;

export const HedgeOptions = Type.Object(
  {
    afterMs: Type.Optional(
      Type.Integer({
        minimum: 1,
        description:
          "An idempotent request without an answer after this long is sent to another instance as well; with percentile, no sooner than that.",
      }),
    ),
    percentile: Type.Optional(
      Type.Number({
        minimum: 50,
        maximum: 99.9,
        description:
          "Instead of a fixed time: one that takes longer than so many per cent of the operation's last 256 tries did. Until 32 are known: afterMs, or 100.",
      }),
    ),
  },
  {
    additionalProperties: false,
    minProperties: 1,
    description: "Write afterMs, percentile or both. The first answer wins; the other try is cancelled.",
  },
);
export type HedgeOptions = Type.Static<typeof HedgeOptions>;

export const FallbackOptions = Type.Object(
  {
    status: Type.Optional(Type.Integer({ minimum: 200, maximum: 599, description: "Default: 200." })),
    headers: Type.Optional(Type.Record(Type.String(), Type.String())),
    body: Type.Optional(Type.Unknown({ description: "Text as it is; anything else as JSON." })),
    mock: Type.Optional(Type.Boolean({ description: "The example of the API description as the body." })),
    statuses: Type.Optional(
      Type.Array(Type.Integer({ minimum: 400, maximum: 599 }), {
        description: "Answers of the upstream that it replaces, too. Default: none, only the lack of an answer.",
      }),
    ),
  },
  { additionalProperties: false, description: "Answers when no instance does and the cache has nothing." },
);
export type FallbackOptions = Type.Static<typeof FallbackOptions>;

export const TlsOptions = Type.Object(
  {
    ca: Type.Optional(
      Type.String({ description: "File of the certificates that are trusted, instead of the system's." }),
    ),
    cert: Type.Optional(Type.String({ description: "File of the client certificate that the upstream asks for." })),
    key: Type.Optional(Type.String({ description: "File of that certificate's key." })),
    serverName: Type.Optional(
      Type.String({ description: "Name sent and checked (SNI). Default: the upstream's host." }),
    ),
  },
  { additionalProperties: false, description: "For upstreams at https URLs. Files are relative to this one." },
);
export type TlsOptions = Type.Static<typeof TlsOptions>;

/** How a route speaks to its upstream; joined in the route's own options. */
export const connectOptions = {
  preserveHost: Type.Optional(
    Type.Boolean({
      description: "The upstream sees the client's Host. Default: its own; X-Forwarded-Host has the client's.",
    }),
  ),
  upstreamTls: Type.Optional(TlsOptions),
  upstreamHttp2: Type.Optional(
    Type.Boolean({ description: "Offer HTTP/2 to upstreams at https URLs (ALPN). Default: false." }),
  ),
  upstreamConnections: Type.Optional(
    Type.Integer({
      minimum: 1,
      description:
        "Connections to one instance at most; further requests wait for one. Over HTTP/2, each takes up to 100 at a time. Default: 1024.",
    }),
  ),
} as const;

export const WebsocketOptions = Type.Object(
  {
    origins: Type.Optional(
      Type.Array(Type.String(), {
        description:
          "Origins whose pages may open it, as https://app.example.com; * for all. Default: the gateway's own.",
      }),
    ),
    maxMessageBytes: Type.Optional(Type.Integer({ minimum: 1, description: "Default: 16 MiB; above, close 1009." })),
    idleSeconds: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, description: "Without a frame in either direction. Default: 300." }),
    ),
    maxSeconds: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, description: "It may stand that long. Default: no end." }),
    ),
  },
  { additionalProperties: false },
);
export type WebsocketOptions = Type.Static<typeof WebsocketOptions>;

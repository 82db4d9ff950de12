import { Type } from "../core/type.ts";
import { SIZE_PATTERN } from "../core/units.ts";

const strict = { additionalProperties: false } as const;
const Size = Type.Union([Type.String({ pattern: SIZE_PATTERN }), Type.Integer({ minimum: 0 })], {
  description: "A size such as 32KiB, 1MiB or a number of bytes.",
});

const CertificateFiles = {
  cert: Type.String({ description: "File of the certificate chain, PEM. Read anew when it changes." }),
  key: Type.String({ description: "File of its key, PEM." }),
};

export const ListenTlsOptions = Type.Object(
  {
    ...CertificateFiles,
    sni: Type.Optional(
      Type.Array(Type.Object({ hosts: Type.Array(Type.String(), { minItems: 1 }), ...CertificateFiles }, strict), {
        description:
          "Certificates for further hosts, by the name that the client asks for; *.example.com for all of one level.",
      }),
    ),
    clientCa: Type.Optional(
      Type.String({
        description:
          "File of the authorities that client certificates are held against, PEM; clients are asked for one.",
      }),
    ),
    clientCertificates: Type.Optional(
      Type.Union([Type.Literal("optional"), Type.Literal("required")], {
        description:
          "required: who shows none that clientCa has signed gets no connection. Default: optional; mtls refuses.",
      }),
    ),
    minVersion: Type.Optional(
      Type.Union([Type.Literal("TLSv1.2"), Type.Literal("TLSv1.3")], { description: "Default: TLSv1.2." }),
    ),
  },
  strict,
);
export type ListenTlsOptions = Type.Static<typeof ListenTlsOptions>;

export const ListenOptions = Type.Object(
  {
    host: Type.Optional(Type.String({ description: "Default: 127.0.0.1." })),
    port: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 65535, description: "Default: 8080; 0 takes a free one." }),
    ),
    tls: Type.Optional(ListenTlsOptions),
    http2: Type.Optional(
      Type.Boolean({ description: "HTTP/2 beside HTTP/1.1, as the client asks (ALPN); needs tls. Default: false." }),
    ),
    redirectFrom: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 65535,
        description: "Port of plain HTTP that redirects to https; needs tls.",
      }),
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
    drainSeconds: Type.Optional(
      Type.Number({
        minimum: 0,
        description:
          "After SIGTERM readiness says 503 at once, and connections are taken for that long still. Default: 0.",
      }),
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

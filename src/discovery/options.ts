import { Type } from "../core/type.ts";
import { etcdSecurityOptions } from "./etcd-security.ts";

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

const strict = { additionalProperties: false } as const;
const Seconds = (description: string) => Type.Optional(Type.Number({ minimum: 0, description }));

const ConsulOptions = Type.Object(
  {
    url: Type.Optional(
      Type.String({ pattern: "^https?://", description: "Of an agent. Default: http://127.0.0.1:8500." }),
    ),
    token: Type.Optional(Type.String({ minLength: 1, description: "Sent as X-Consul-Token." })),
    datacenter: Type.Optional(Type.String({ minLength: 1, description: "Default: the agent's." })),
    tag: Type.Optional(Type.String({ minLength: 1, description: "Only instances with this tag." })),
    waitSeconds: Type.Optional(
      Type.Number({
        minimum: 1,
        maximum: 600,
        description: "How long Consul holds a question to which nothing has changed. Default: 30.",
      }),
    ),
    scheme: Type.Optional(
      Type.Union([Type.Literal("http"), Type.Literal("https")], {
        description: "Of instances whose metadata has no `scheme`. Default: http.",
      }),
    ),
    tlsTag: Type.Optional(
      Type.String({ minLength: 1, description: "Tag of instances that speak HTTPS. Default: tls." }),
    ),
  },
  strict,
);

export const Networks = Type.Array(Type.String({ format: "network", description: "such as 10.0.0.0/8" }), {
  description: "Networks, such as 10.0.0.0/8.",
});

/** Sources beside the registry, by the name that `upstream.from` uses. */
export const DiscoveryOptions = Type.Object(
  {
    file: Type.Optional(
      Type.Object(
        { path: Type.String({ description: "YAML or JSON: service: [url, …]; read when it changes." }) },
        strict,
      ),
    ),
    dns: Type.Optional(
      Type.Object(
        {
          servers: Type.Optional(Type.Array(Type.String(), { description: "Default: the operating system's." })),
          suffix: Type.Optional(Type.String({ description: "Stands after the service's name." })),
          record: Type.Optional(
            Type.Union([Type.Literal("address"), Type.Literal("srv")], {
              description: "Default: srv for names that start with _, address for others.",
            }),
          ),
          scheme: Type.Optional(Type.Union([Type.Literal("http"), Type.Literal("https")])),
          port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65535, description: "Of addresses. Default: 80." })),
        },
        strict,
      ),
    ),
    etcd: Type.Optional(
      Type.Object(
        {
          endpoints: Type.Optional(
            Type.Array(Type.String({ pattern: "^https?://" }), { description: "Default: http://127.0.0.1:2379." }),
          ),
          prefix: Type.Optional(Type.String({ minLength: 1, description: "Keys are <prefix><service>/<id>." })),
          ...etcdSecurityOptions,
        },
        strict,
      ),
    ),
    consul: Type.Optional(ConsulOptions),
    lastKnown: Type.Optional(
      Type.Object(
        {
          folder: Type.Optional(
            Type.String({ description: "What a restart knows while the source is away. Default: ./data/discovery" }),
          ),
          maxAgeSeconds: Seconds("What is known longer ago is no longer used. Default: 86400."),
          distrustSeconds: Seconds("How long an empty list is not believed where there were instances. Default: 30."),
          distrustFrom: Type.Optional(
            Type.Integer({
              minimum: 1,
              description: "Instances from which on an empty list is distrusted. Default: 3.",
            }),
          ),
        },
        strict,
      ),
    ),
    addresses: Type.Optional(
      Type.Object(
        {
          allow: Type.Optional(Networks),
          deny: Type.Optional(Networks),
        },
        {
          ...strict,
          description: "Networks, such as 10.0.0.0/8, that found instances may live in; held at each connect.",
        },
      ),
    ),
  },
  strict,
);

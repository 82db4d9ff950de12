import { Type } from "../core/type.ts";
import { etcdSecurityOptions } from "../discovery/etcd-security.ts";
import { Networks } from "../discovery/options.ts";

const strict = { additionalProperties: false } as const;
const AddressOptions = Type.Object({ allow: Type.Optional(Networks), deny: Type.Optional(Networks) }, strict);

const PreservationOptions = Type.Object(
  {
    enabled: Type.Optional(Type.Boolean({ description: "Default: true." })),
    share: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 1,
        description:
          "More than this share of leases ending at once is taken for a fault of the network. Default: 0.15.",
      }),
    ),
    minimum: Type.Optional(
      Type.Integer({ minimum: 1, description: "Known instances below which none is preserved. Default: 20." }),
    ),
    maxSeconds: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: "No longer than this. Default: 300." })),
  },
  strict,
);

const Count = (description: string) => Type.Optional(Type.Integer({ minimum: 1, description }));

const QuotaOptions = Type.Object(
  {
    instances: Count("Of all services. Default: 100000."),
    instancesPerService: Count("Default: 20000."),
    instancesPerOwner: Count("Of one token. Default: 50000."),
    changesPerSecond: Count("Of one caller; ten seconds of them may come at once. Default: 2000."),
    watches: Count("Open at once. Default: 10000."),
  },
  strict,
);

export const EmbeddedRegistryOptions = Type.Object(
  {
    host: Type.Optional(Type.String({ description: "Default: 127.0.0.1." })),
    port: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 65535, description: "Default: 8082; 0 takes a free one." }),
    ),
    data: Type.Optional(Type.String({ description: "Folder of its store. Default: ./data" })),
    token: Type.Optional(
      Type.String({
        minLength: 1,
        description: "What callers send as Bearer. Without one, this machine alone is answered.",
      }),
    ),
    tokenFile: Type.Optional(
      Type.String({
        description: "Lines of `name token [service|operator|reader]`; an instance belongs to its token.",
      }),
    ),
    etcd: Type.Optional(
      Type.Array(Type.String({ pattern: "^https?://" }), {
        minItems: 1,
        description: "A cluster that keeps everything instead of `data`; any number of registries may share it.",
      }),
    ),
    etcdSecurity: Type.Optional(
      Type.Object(etcdSecurityOptions, { ...strict, description: "How that cluster lets the registry in." }),
    ),
    addresses: Type.Optional(AddressOptions),
    preservation: Type.Optional(PreservationOptions),
    quotas: Type.Optional(QuotaOptions),
  },
  strict,
);
export type EmbeddedRegistryOptions = Type.Static<typeof EmbeddedRegistryOptions>;

/** Where services register: beside the gateway in its process, or elsewhere. */
export const RegistryOptions = Type.Object(
  {
    embedded: Type.Optional(EmbeddedRegistryOptions),
    url: Type.Optional(
      Type.Union([Type.String({ pattern: "^https?://" }), Type.Array(Type.String({ pattern: "^https?://" }))], {
        description: "Of a registry that runs by itself, or of several over one store.",
      }),
    ),
    token: Type.Optional(Type.String({ minLength: 1, description: "What the gateway sends it." })),
  },
  strict,
);

import { Type } from "../core/type.ts";
import { PluginEntry } from "./plugin-entry.ts";

const strict = { additionalProperties: false } as const;
const Name = Type.String({ minLength: 1, maxLength: 200 });

/** One of apiKey, password, token and certificate. */
export const CredentialOptions = Type.Object(
  {
    apiKey: Type.Optional(
      Type.String({ minLength: 8, description: "A key for api-key, or sha256:<its digest in hex>." }),
    ),
    password: Type.Optional(Type.String({ description: "The hash of a password for basic-auth." })),
    username: Type.Optional(
      Type.String({ pattern: "^[^:]+$", description: "Stands with password. Default: the consumer's name." }),
    ),
    token: Type.Optional(
      Type.Object(
        { issuer: Name, subject: Name },
        { ...strict, description: "`iss` and `sub` of tokens that jwt and its kin have verified." },
      ),
    ),
    certificate: Type.Optional(
      Type.String({ pattern: "^(cn|dns|uri|email|ip|sha256):.", description: "As mtls names them: dns:ada.example." }),
    ),
    scopes: Type.Optional(Type.Array(Name, { description: "What it may do, as the spec names it." })),
    expires: Type.Optional(Type.String({ description: "From when it is refused, such as 2027-01-31T00:00:00Z." })),
  },
  strict,
);
export type CredentialOptions = Type.Static<typeof CredentialOptions>;

const own = {
  groups: Type.Optional(Type.Array(Name, { description: "Added to those of its credential." })),
  quotas: Type.Optional(
    Type.Array(
      Type.Object(
        {
          limit: Type.Integer({ minimum: 1, description: "Requests in each period, over all operations." }),
          per: Type.Union([Type.Literal("day"), Type.Literal("month")], { description: "Of the calendar, in UTC." }),
        },
        strict,
      ),
      { description: "What it may use, in place of the quota of a route." },
    ),
  ),
  plugins: Type.Optional(
    Type.Array(PluginEntry, {
      description: "Run for this consumer alone, once it is known, in place of the route's of the same name.",
    }),
  ),
};

/** What the admin API takes for a consumer: its credentials are made one by one. */
export const ConsumerSettings = Type.Object(own, strict);
export type ConsumerSettings = Type.Static<typeof ConsumerSettings>;

const ConsumerOptions = Type.Object(
  {
    ...own,
    credentials: Type.Optional(
      Type.Array(CredentialOptions, { description: "What it shows to plugins that have no list of their own." }),
    ),
  },
  strict,
);
export type ConsumerOptions = Type.Static<typeof ConsumerOptions>;

/** Those who call, by the name that their credential gives them. */
export const ConsumersOptions = Type.Record(Type.String(), ConsumerOptions);
export type ConsumersOptions = Type.Static<typeof ConsumersOptions>;

import { hash } from "node:crypto";
import { resolve } from "node:path";
import {
  ApiKeyReader,
  type Clock,
  type Consumer,
  defineHooks,
  definePlugin,
  GatewayError,
  type SecurityScheme,
  Type,
} from "../src/plugin.ts";
import { findCredential, type Place, redactTarget, removeCredential } from "./common/credentials.ts";

const Key = Type.Object(
  {
    consumer: Type.String({ minLength: 1, description: "Name of who holds the key." }),
    groups: Type.Optional(Type.Array(Type.String(), { description: "Groups of the consumer." })),
    scopes: Type.Optional(Type.Array(Type.String(), { description: "What the key may do, as the spec names it." })),
    expires: Type.Optional(Type.String({ description: "From when it is refused, such as 2027-01-31T00:00:00Z." })),
  },
  { additionalProperties: false },
);

const Options = Type.Object({
  header: Type.Optional(Type.String({ minLength: 1, description: "Request header that carries the key." })),
  query: Type.Optional(Type.String({ minLength: 1, description: "Query parameter that carries the key." })),
  cookie: Type.Optional(Type.String({ minLength: 1, description: "Cookie that carries the key." })),
  keys: Type.Optional(
    Type.Record(Type.String(), Type.Union([Type.String({ minLength: 1 }), Key]), {
      minProperties: 1,
      description: "Key, or sha256:<its digest in hex>, to consumer. Default, without store: the keys of `consumers`.",
    }),
  ),
  store: Type.Optional(
    Type.String({ minLength: 1, description: "A file of keys, as `portico api-key` and the admin API write it." }),
  ),
  forwardCredential: Type.Boolean({ default: false, description: "The upstream sees the key." }),
});

interface KnownKey {
  readonly consumer: Consumer;
  readonly expiresAtMs: number;
}

/** Who calls, by a key. */
export default definePlugin({
  name: "api-key",
  phase: "authenticate",
  options: Options,
  setup({ options, scheme, clock, folder, shared, consumers }) {
    const place = placeOf(options, scheme);
    const { keys = {}, store } = options;
    const asksConsumers = options.keys === undefined && store === undefined;
    if (asksConsumers && !consumers.has("api-key")) {
      throw new Error("it lacks keys; write keys, or store, or give consumers credentials");
    }
    const known = new Map(Object.entries(keys).map(([key, holder]) => [toDigest(key), toKnownKey(holder)]));
    const stored = store === undefined ? undefined : shared(() => new StoredKeys(resolve(folder, store), clock));
    const headers = { "WWW-Authenticate": `ApiKey in="${place.in}", name="${place.name}"` };

    return defineHooks({
      onRequest(exchange) {
        const key = findCredential(exchange, place);
        if (key === undefined || key === "") {
          throw new GatewayError("API_KEY_MISSING", `send the ${place.in} ${place.name}`, { headers });
        }
        if (place.in === "query") redactTarget(exchange);
        // The time of this lookup tells of digests, and nobody can choose a key by its digest: nothing of a key leaks.
        const digest = hash("sha256", key, "hex");
        const found = asksConsumers ? consumers.find("api-key", digest) : (known.get(digest) ?? stored?.find(digest));
        if (found === undefined || found.expiresAtMs <= clock.nowMs()) {
          throw new GatewayError("API_KEY_INVALID", "the key is not known, or no longer", { headers });
        }
        exchange.consumer = found.consumer;
        if (!options.forwardCredential) removeCredential(exchange, place);
      },
    });
  },
});

/** The keys of a file, each as it is used. */
class StoredKeys {
  private readonly reader: ApiKeyReader;
  private readonly known = new WeakMap<object, KnownKey>();

  constructor(file: string, clock: Clock) {
    this.reader = new ApiKeyReader(file, () => clock.monotonicMs());
  }

  find(digest: string): KnownKey | undefined {
    const key = this.reader.find(digest);
    if (key === undefined) return undefined;
    let known = this.known.get(key);
    if (known === undefined) {
      const { consumer, groups, scopes, expiresAt: expires } = key;
      known = toKnownKey({
        consumer,
        groups: [...groups],
        scopes: [...scopes],
        ...(expires !== undefined && { expires }),
      });
      this.known.set(key, known);
    }
    return known;
  }
}

function placeOf(
  options: { header?: string; query?: string; cookie?: string },
  scheme: SecurityScheme | undefined,
): Place {
  const given = (["header", "query", "cookie"] as const).filter((where) => options[where] !== undefined);
  if (given.length > 1) throw new Error(`write one of header, query and cookie, not ${given.join(" and ")}`);
  const [where] = given;
  if (where !== undefined) return toPlace(where, options[where] as string);
  if (scheme?.type === "apiKey" && scheme.in !== undefined && scheme.parameterName !== undefined) {
    return toPlace(scheme.in, scheme.parameterName);
  }
  return toPlace("header", "x-api-key");
}

const toPlace = (where: Place["in"], name: string): Place => ({
  in: where,
  name: where === "header" ? name.toLowerCase() : name,
});

const DIGEST = /^sha256:([0-9a-fA-F]{64})$/;
const toDigest = (key: string): string => DIGEST.exec(key)?.[1]?.toLowerCase() ?? hash("sha256", key, "hex");

function toKnownKey(holder: string | Type.Static<typeof Key>): KnownKey {
  if (typeof holder === "string") return { consumer: { name: holder }, expiresAtMs: Number.POSITIVE_INFINITY };
  const expiresAtMs = holder.expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(holder.expires);
  if (Number.isNaN(expiresAtMs)) throw new Error(`expires is "${holder.expires}"; write a date such as 2027-01-31`);
  const { consumer: name, groups = [], scopes = [] } = holder;
  return { consumer: { name, groups, scopes: new Set(scopes) }, expiresAtMs };
}

import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import {
  type Consumer,
  definePlugin,
  type Exchange,
  type GatewayResponse,
  type SetupContext,
  Type,
} from "../src/plugin.ts";
import { findBearerField, tokenInvalid, tokenMissing, tokenOf } from "./common/bearer.ts";
import { appendHeaders, claimOptions, findHolder, toClaimHeaders, toConsumer } from "./common/claims.ts";
import { findCredential, type Place, redactTarget, removeCredential } from "./common/credentials.ts";
import { Remembered } from "./common/remembered.ts";
import { discoveryUrl, fixedKeys, type KeySource, RemoteKeys } from "./jwt/key-source.ts";
import { ALGORITHMS, keySetOf, MIN_SECRET_BYTES, parseKeySet, publicKey, secretKey } from "./jwt/keys.ts";
import { type Claims, type Rules, verifyToken } from "./jwt/verify.ts";

const Text = Type.String({ minLength: 1 });

const Options = Type.Object({
  jwksUrl: Type.Optional(Type.String({ pattern: "^https?://", description: "Where the issuer publishes its keys." })),
  jwksFile: Type.Optional(Type.String({ description: "A file with a JWK set." })),
  publicKey: Type.Optional(Type.String({ description: "A PEM public key or certificate, or a file with one." })),
  secret: Type.Optional(Type.String({ minLength: 1, description: "Shared secret of the HS algorithms." })),
  allowShortSecret: Type.Boolean({
    default: true,
    description:
      "False: refuse at the start, and not only warn of, a secret of less than the 32 bytes that RFC 7518 §3.2 asks for; whoever has a token can guess it.",
  }),
  discovery: Type.Optional(
    Type.String({ pattern: "^https?://", description: "An OpenID Connect issuer, which says where its keys are." }),
  ),
  algorithms: Type.Optional(
    Type.Array(Type.Union(ALGORITHMS.map((name) => Type.Literal(name))), {
      minItems: 1,
      description: "Those that are accepted. Default: all that the keys can verify.",
    }),
  ),
  issuer: Type.Optional(
    Type.Union([Text, Type.Array(Text, { minItems: 1 })], {
      description: "`iss` that a token must have, or one of them.",
    }),
  ),
  audience: Type.Optional(
    Type.Union([Text, Type.Array(Text, { minItems: 1 })], {
      description: "`aud` that a token must name, or one of them.",
    }),
  ),
  types: Type.Optional(Type.Array(Text, { description: "Accepted `typ`. Default: JWT, at+jwt, or none." })),
  requiredClaims: Type.Array(Type.String(), { default: ["exp"], description: "Claims that a token must have." }),
  leewaySeconds: Type.Number({ default: 0, minimum: 0, maximum: 300, description: "By how much clocks may differ." }),
  cookie: Type.Optional(Type.String({ minLength: 1, description: "Cookie that may carry the token instead." })),
  query: Type.Optional(Type.String({ minLength: 1, description: "Query parameter that may carry it instead." })),
  maxAgeSeconds: Type.Number({ default: 600, minimum: 1, description: "When published keys are looked at again." }),
  cooldownSeconds: Type.Number({ default: 10, minimum: 0.1, description: "Least time between two looks." }),
  remember: Type.Integer({
    default: 10_000,
    minimum: 0,
    description: "Verified tokens that are kept until they expire.",
  }),
  forwardCredential: Type.Boolean({ default: false, description: "The upstream sees the token." }),
  ...claimOptions,
});
type Options = Type.Static<typeof Options>;

interface Verified {
  readonly consumer: Consumer;
  readonly lines: (readonly [string, string])[];
  readonly expiresAtMs: number;
}

/** One memory and one set of keys for all operations that an entry guards. */
interface Shared {
  readonly source: KeySource;
  readonly remembered: Remembered<Verified>;
  generation: number;
  /** Of the consumers that hold remembered tokens. */
  version: number;
}

/** Who calls, by a signed token (RFC 7519, RFC 8725, RFC 9068). */
export default definePlugin({
  name: "jwt",
  phase: "authenticate",
  options: Options,
  setup(context) {
    const { options, clock, consumers } = context;
    const shared = context.shared<Shared>(() => ({
      source: keySourceOf(context),
      remembered: new Remembered(options.remember),
      generation: 0,
      version: consumers.version,
    }));
    const rules = rulesOf(options, shared.source);
    const places = placesOf(options);
    const strip = !options.forwardCredential;

    const admit = (exchange: Exchange, verified: Verified, place: Place): void => {
      exchange.consumer = verified.consumer;
      if (strip) removeCredential(exchange, place);
      appendHeaders(exchange, verified.lines);
    };
    const remember = (credential: string, token: string, claims: Claims): Verified => {
      const leewayMs = options.leewaySeconds * 1000;
      const endsMs = typeof claims.exp === "number" ? claims.exp * 1000 + leewayMs : clock.nowMs() + MAX_MEMORY_MS;
      const holder = findHolder(claims, consumers, clock.nowMs());
      const verified = {
        consumer: toConsumer(claims, token, options, holder),
        lines: toClaimHeaders(claims, options.headers),
        expiresAtMs: Math.min(endsMs, holder?.expiresAtMs ?? endsMs),
      };
      shared.remembered.set(credential, verified);
      return verified;
    };

    return {
      identityHeaders: Object.keys(options.headers),
      handler: function checkToken(exchange, next) {
        const [credential, place] = findToken(exchange, places);
        const { source, remembered } = shared;
        // A key that the issuer withdrew takes its tokens with it; a consumer that is changed, what is known of it.
        if (source.generation !== shared.generation || consumers.version !== shared.version) {
          shared.generation = source.generation;
          shared.version = consumers.version;
          remembered.clear();
        }
        const known = remembered.get(credential);
        if (known !== undefined && known.expiresAtMs > clock.nowMs()) {
          source.refreshIfDue();
          admit(exchange, known, place);
          return next(exchange);
        }
        if (known !== undefined) remembered.delete(credential);
        const token = place === AUTHORIZATION ? tokenOf(credential) : credential;
        const pass = (claims: Claims): Promise<GatewayResponse> => {
          admit(exchange, remember(credential, token, claims), place);
          return next(exchange);
        };
        const claims = verifyToken(token, source, rules, clock.nowMs());
        return claims instanceof Promise ? claims.then(pass) : pass(claims);
      },
    };
  },
});

/** How long a token without `exp` is remembered, where the options allow one. */
const MAX_MEMORY_MS = 60_000;
const AUTHORIZATION: Place = { in: "header", name: "authorization" };

function placesOf({ cookie, query }: Options): Place[] {
  const places: Place[] = [];
  if (cookie !== undefined) places.push({ in: "cookie", name: cookie });
  if (query !== undefined) places.push({ in: "query", name: query });
  return places;
}

/** The token where it stands; two of them, in whatever places, are a refusal. ATTACKS 35. */
function findToken(exchange: Exchange, others: readonly Place[]): readonly [string, Place] {
  const field = findBearerField(exchange);
  let found: readonly [string, Place] | undefined = field === undefined ? undefined : [field, AUTHORIZATION];
  for (const place of others) {
    const token = findCredential(exchange, place);
    if (token === undefined) continue;
    if (place.in === "query") redactTarget(exchange);
    if (found !== undefined) throw tokenInvalid("send the token in one place");
    found = [token, place];
  }
  if (found === undefined) throw tokenMissing();
  return found;
}

const listOf = (value: string | readonly string[] | undefined): readonly string[] | undefined =>
  value === undefined ? undefined : [value].flat();

function rulesOf(options: Options, source: KeySource): Rules {
  const algorithms = new Set<string>(options.algorithms ?? ALGORITHMS);
  const isUsable = source.current?.all.some((key) => [...key.algorithms].some((name) => algorithms.has(name))) ?? true;
  if (!isUsable) throw new Error(`no key can verify ${[...algorithms].join(", ")}; mend algorithms, or the key`);
  const types = options.types?.map((type) => type.toLowerCase().replace(/^application\//, ""));
  return {
    algorithms,
    issuers: listOf(options.issuer),
    audiences: listOf(options.audience),
    types: new Set(types ?? ["jwt", "at+jwt"]),
    isTypeRequired: types !== undefined,
    requiredClaims: options.requiredClaims,
    leewaySeconds: options.leewaySeconds,
  };
}

const SOURCES = ["jwksUrl", "jwksFile", "publicKey", "secret", "discovery"] as const;

function keySourceOf({ options, scheme, folder, clock, log }: SetupContext<Options>): KeySource {
  const given = SOURCES.filter((name) => options[name] !== undefined);
  if (given.length > 1) throw new Error(`write one of ${SOURCES.join(", ")}, not ${given.join(" and ")}`);
  const { jwksUrl, jwksFile, publicKey: pem, secret } = options;
  if (secret !== undefined && Buffer.byteLength(secret) < MIN_SECRET_BYTES) {
    const what = `the secret is shorter than ${MIN_SECRET_BYTES} bytes (RFC 7518 §3.2): whoever has a token can guess it`;
    if (!options.allowShortSecret) {
      throw new Error(
        `${what}; make one with openssl rand -hex 32, or write allowShortSecret: true while an old issuer needs it`,
      );
    }
    log.warn({ scheme: scheme?.name }, what);
  }
  if (secret !== undefined) return fixedKeys(keySetOf(secretKey(secret)));
  if (pem !== undefined) return fixedKeys(keySetOf(publicKey(pem.includes("-----BEGIN") ? pem : read(folder, pem))));
  if (jwksFile !== undefined) return fixedKeys(parseKeySet(read(folder, jwksFile), true));
  const issuer = options.discovery ?? (jwksUrl === undefined ? scheme?.openIdConnectUrl : undefined);
  const url = jwksUrl ?? (issuer === undefined ? undefined : discoveryUrl(issuer));
  if (url === undefined) throw new Error(`nothing says which keys sign the tokens; write one of ${SOURCES.join(", ")}`);
  const remote = {
    url,
    isDiscovery: jwksUrl === undefined,
    maxAgeMs: options.maxAgeSeconds * 1000,
    cooldownMs: options.cooldownSeconds * 1000,
  };
  return new RemoteKeys(remote, clock, (error) => log.warn({ err: error, url }, "the issuer's keys cannot be fetched"));
}

function read(folder: string, name: string): string {
  const file = resolve(folder, name);
  if (!existsSync(file)) throw new Error(`there is no file ${file}`);
  return readFileSync(file, "utf8");
}

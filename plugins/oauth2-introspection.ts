import { type Consumer, definePlugin, Type } from "../src/plugin.ts";
import { ask, unavailable } from "./common/ask.ts";
import { findBearerField, tokenInvalid, tokenMissing, tokenOf } from "./common/bearer.ts";
import { appendHeaders, type Claims, claimOptions, findHolder, toClaimHeaders, toConsumer } from "./common/claims.ts";
import { removeCredential } from "./common/credentials.ts";
import { Remembered } from "./common/remembered.ts";

interface Answer {
  /** Of the consumers when it was given. */
  readonly version: number;
  /** Undefined: the token is not active. */
  readonly consumer: Consumer | undefined;
  readonly lines: (readonly [string, string])[];
  readonly untilMs: number;
}

interface Shared {
  readonly answers: Remembered<Answer>;
  readonly pending: Map<string, Promise<Answer>>;
}

/** Who calls, by a token that its issuer is asked about (RFC 7662). Answers are remembered, the negative ones too. */
export default definePlugin({
  name: "oauth2-introspection",
  phase: "authenticate",
  options: Type.Object({
    url: Type.String({ pattern: "^https?://", description: "The introspection endpoint." }),
    clientId: Type.String({ minLength: 1, description: "Who asks, as the issuer knows this gateway." }),
    clientSecret: Type.String({ minLength: 1, description: "Its secret, sent as Basic." }),
    issuer: Type.Optional(Type.String({ minLength: 1, description: "`iss` that an active token must have." })),
    audience: Type.Optional(Type.String({ minLength: 1, description: "`aud` that it must name." })),
    cacheSeconds: Type.Number({ default: 60, minimum: 0, description: "For how long an active token is believed." }),
    negativeSeconds: Type.Number({ default: 10, minimum: 0, description: "For how long an inactive one is not." }),
    remember: Type.Integer({ default: 10_000, minimum: 0, description: "Answers that are kept." }),
    timeoutMs: Type.Integer({
      default: 3000,
      minimum: 1,
      description: "How long the issuer may take; beyond it, 503.",
    }),
    forwardCredential: Type.Boolean({ default: false, description: "The upstream sees the token." }),
    ...claimOptions,
  }),
  setup({ options, clock, shared, consumers }) {
    const { answers, pending } = shared<Shared>(() => ({
      answers: new Remembered(options.remember),
      pending: new Map(),
    }));
    // RFC 6749 §2.3.1: both are form-encoded before they are joined.
    const credentials = [options.clientId, options.clientSecret].map(encodeURIComponent).join(":");
    const headers = {
      Authorization: `Basic ${Buffer.from(credentials).toString("base64")}`,
      Accept: "application/json",
    };

    const introspect = async (token: string): Promise<Answer> => {
      const body = new URLSearchParams({ token, token_type_hint: "access_token" });
      const asked = await ask(options.url, { method: "POST", headers, body }, options.timeoutMs);
      const claims = parse(asked);
      const now = clock.nowMs();
      const { version } = consumers;
      const inactive = { version, consumer: undefined, lines: [], untilMs: now + options.negativeSeconds * 1000 };
      if (claims.active !== true || isWrong(claims, options, now)) return inactive;
      const expiresMs = typeof claims.exp === "number" ? claims.exp * 1000 : Number.POSITIVE_INFINITY;
      return {
        version,
        consumer: toConsumer(claims, token, options, findHolder(claims, consumers, now)),
        lines: toClaimHeaders(claims, options.headers),
        untilMs: Math.min(expiresMs, now + options.cacheSeconds * 1000),
      };
    };
    const askOnce = (token: string): Promise<Answer> => {
      let answer = pending.get(token);
      if (answer === undefined) {
        answer = introspect(token).finally(() => pending.delete(token));
        pending.set(token, answer);
      }
      return answer;
    };

    return {
      identityHeaders: Object.keys(options.headers),
      handler: async function introspectToken(exchange, next) {
        const field = findBearerField(exchange);
        if (field === undefined) throw tokenMissing();
        const token = tokenOf(field);
        let answer = answers.get(token);
        if (answer === undefined || answer.untilMs <= clock.nowMs() || answer.version !== consumers.version) {
          answer = await askOnce(token);
          answers.set(token, answer);
        }
        if (answer.consumer === undefined) throw tokenInvalid("the token is not active");
        exchange.consumer = answer.consumer;
        if (!options.forwardCredential) removeCredential(exchange, { in: "header", name: "authorization" });
        appendHeaders(exchange, answer.lines);
        return next(exchange);
      },
    };
  },
});

/** Anything but a 200 with a JSON object says nothing of the token: the gateway's own credentials may be wrong. */
function parse({ status, text }: { readonly status: number; readonly text: string }): Claims {
  if (status !== 200) throw unavailable(new Error(`the introspection endpoint answered ${status}`));
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Claims;
  } catch (cause) {
    throw unavailable(cause);
  }
  throw unavailable(new Error("the introspection endpoint answered no object"));
}

function isWrong(claims: Claims, options: { issuer?: string; audience?: string }, nowMs: number): boolean {
  const { exp, nbf, iss, aud } = claims;
  if (exp !== undefined && !(typeof exp === "number" && exp * 1000 > nowMs)) return true;
  if (nbf !== undefined && !(typeof nbf === "number" && nbf * 1000 <= nowMs)) return true;
  if (options.issuer !== undefined && iss !== options.issuer) return true;
  return options.audience !== undefined && ![aud].flat().includes(options.audience);
}

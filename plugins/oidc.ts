import { hash, hkdfSync, randomBytes } from "node:crypto";
import { createRemoteJWKSet, EncryptJWT, jwtDecrypt, jwtVerify } from "jose";
import { definePlugin, type Exchange, GatewayError, type GatewayResponse, HeaderList, Type } from "../src/plugin.ts";
import { ask, unavailable } from "./common/ask.ts";
import { appendHeaders, type Claims, claimOptions, findHolder, toClaimHeaders, toConsumer } from "./common/claims.ts";
import { findCredential, type Place, removeCredential } from "./common/credentials.ts";
import { discoveryUrl } from "./jwt/key-source.ts";

const SESSION: Place = { in: "cookie", name: "portico-session" };
const LOGIN: Place = { in: "cookie", name: "portico-login" };
const LOGIN_SECONDS = 600;

/** What the encrypted cookie holds; nothing is kept on the server. */
interface Session {
  readonly claims: Claims;
  readonly refreshToken?: string | undefined;
  /** Seconds since 1970: then it is refreshed, or over. */
  readonly until: number;
}

interface Provider {
  readonly issuer: string;
  readonly authorization: string;
  readonly token: string;
  readonly endSession: string | undefined;
  readonly keys: ReturnType<typeof createRemoteJWKSet>;
}

/**
 * Signs people in with their browser: OpenID Connect code flow with PKCE, state and nonce; the session is an encrypted
 * cookie, refreshed while the provider agrees. `callback` and `logout` are paths of operations that it guards.
 */
export default definePlugin({
  name: "oidc",
  phase: "authenticate",
  callTimeoutMs: 20_000,
  options: Type.Object({
    issuer: Type.String({
      pattern: "^https?://",
      description: "The OpenID Connect provider; its discovery document says the rest.",
    }),
    clientId: Type.String({ minLength: 1, description: "As the provider knows this gateway." }),
    clientSecret: Type.String({ minLength: 1, description: "Its secret, sent as Basic." }),
    cookieSecret: Type.String({ minLength: 32, description: "Encrypts the session; the same on every gateway." }),
    callback: Type.String({ pattern: "^/", description: "Path to which the provider sends people back." }),
    logout: Type.Optional(Type.String({ pattern: "^/", description: "Path that ends the session." })),
    publicUrl: Type.Optional(Type.String({ description: "Origin that browsers see. Default: the request's." })),
    scopes: Type.Array(Type.String(), {
      default: ["openid"],
      description: "Asked for; with offline_access a session is refreshed.",
    }),
    sessionSeconds: Type.Integer({ default: 3600, minimum: 1, description: "Without a refresh." }),
    timeoutMs: Type.Integer({
      default: 5000,
      minimum: 1,
      description: "How long the provider may take; beyond it, 503.",
    }),
    ...claimOptions,
  }),
  setup({ options, clock, shared, consumers }) {
    // A cookie of one purpose is none of another, nor is that of another provider or client with the same secret.
    const keyFor = (purpose: string): Uint8Array => {
      const info = JSON.stringify(["portico oidc", purpose, options.issuer, options.clientId]);
      return new Uint8Array(hkdfSync("sha256", options.cookieSecret, "", info, 32));
    };
    const keys = { [SESSION.name]: keyFor("session"), [LOGIN.name]: keyFor("login") };
    const state = shared(() => new State());
    const redirectUri = (exchange: Exchange): string =>
      `${options.publicUrl ?? `${exchange.request.scheme}://${exchange.request.authority}`}${options.callback}`;
    const isSecure = ({ request }: Exchange): boolean =>
      (options.publicUrl ?? `${request.scheme}://`).startsWith("https://");
    const now = (): number => Math.floor(clock.nowMs() / 1000);

    const seal = ({ name }: Place, value: object, seconds: number): Promise<string> =>
      new EncryptJWT({ value })
        .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
        .setExpirationTime(now() + seconds)
        .encrypt(keys[name] as Uint8Array);
    const unseal = async <T>(exchange: Exchange, place: Place): Promise<T | undefined> => {
      const text = findCredential(exchange, place);
      if (text === undefined) return undefined;
      try {
        const { payload } = await jwtDecrypt(text, keys[place.name] as Uint8Array, {
          keyManagementAlgorithms: ["dir"],
          contentEncryptionAlgorithms: ["A256GCM"],
          currentDate: new Date(clock.nowMs()),
        });
        return payload.value as T;
      } catch {
        return undefined;
      }
    };
    const post = async (url: string, form: Record<string, string>): Promise<Claims> => {
      const credentials = [options.clientId, options.clientSecret].map(encodeURIComponent).join(":");
      const headers = {
        Authorization: `Basic ${Buffer.from(credentials).toString("base64")}`,
        Accept: "application/json",
      };
      const answer = await ask(url, { method: "POST", headers, body: new URLSearchParams(form) }, options.timeoutMs);
      if (answer.status >= 500) throw unavailable(new Error(`the token endpoint answered ${answer.status}`));
      if (answer.status !== 200) throw new GatewayError("CREDENTIALS_INVALID", "the provider refused the sign-in");
      return parseAnswer(answer.text) as Claims;
    };

    const beginLogin = async (exchange: Exchange): Promise<GatewayResponse> => {
      const { request } = exchange;
      const isPage = request.method === "GET" && (request.headers.get("accept") ?? "").includes("text/html");
      if (!isPage) throw new GatewayError("CREDENTIALS_MISSING", "sign in with a browser first");
      const provider = await state.provider(options.issuer, options.timeoutMs);
      const [verifier, login, nonce] = [random(), random(), random()];
      const returnTo = request.query === "" ? request.path : `${request.path}?${request.query}`;
      const url = new URL(provider.authorization);
      url.search = new URLSearchParams({
        client_id: options.clientId,
        response_type: "code",
        redirect_uri: redirectUri(exchange),
        scope: options.scopes.join(" "),
        state: login,
        nonce,
        code_challenge: hash("sha256", verifier, "base64url"),
        code_challenge_method: "S256",
        ...(options.scopes.includes("offline_access") && { prompt: "consent" }),
      }).toString();
      const sealed = await seal(LOGIN, { verifier, state: login, nonce, returnTo }, LOGIN_SECONDS);
      return redirect(url.href, [cookie(isSecure(exchange), LOGIN.name, sealed, LOGIN_SECONDS)]);
    };

    const endLogin = async (exchange: Exchange): Promise<GatewayResponse> => {
      const query = new URLSearchParams(exchange.request.query);
      const login = await unseal<{ verifier: string; state: string; nonce: string; returnTo: string }>(exchange, LOGIN);
      const code = query.get("code");
      if (login === undefined || code === null || query.get("state") !== login.state) {
        throw new GatewayError("CREDENTIALS_INVALID", "this sign-in was not begun here, or too long ago");
      }
      const provider = await state.provider(options.issuer, options.timeoutMs);
      const issued = query.get("iss");
      if (issued !== null && issued !== provider.issuer)
        throw new GatewayError("CREDENTIALS_INVALID", "another issuer answered");
      const tokens = await post(provider.token, {
        grant_type: "authorization_code",
        code,
        redirect_uri: redirectUri(exchange),
        code_verifier: login.verifier,
      });
      const claims = await verifyIdToken(provider, tokens, options.clientId);
      if (claims.nonce !== login.nonce)
        throw new GatewayError("CREDENTIALS_INVALID", "the token is of another sign-in");
      return redirect(login.returnTo, [
        await sessionCookie(exchange, toSession(claims, tokens)),
        cookie(isSecure(exchange), LOGIN.name, "", 0),
      ]);
    };

    const toSession = (claims: Claims, tokens: Claims): Session => {
      const lifetime = typeof tokens.expires_in === "number" ? tokens.expires_in : options.sessionSeconds;
      const refreshToken = typeof tokens.refresh_token === "string" ? tokens.refresh_token : undefined;
      return { claims, refreshToken, until: now() + Math.min(lifetime, options.sessionSeconds) };
    };
    const sessionCookie = async (exchange: Exchange, session: Session): Promise<string> => {
      const seconds = session.refreshToken === undefined ? options.sessionSeconds : 30 * 86_400;
      return cookie(isSecure(exchange), SESSION.name, await seal(SESSION, session, seconds), seconds);
    };

    /** @returns undefined: the provider no longer agrees */
    const refresh = (session: Session): Promise<Session | undefined> =>
      state.once(session.refreshToken as string, async () => {
        const provider = await state.provider(options.issuer, options.timeoutMs);
        try {
          const form = { grant_type: "refresh_token", refresh_token: session.refreshToken as string };
          const tokens = await post(provider.token, form);
          const claims =
            tokens.id_token === undefined ? session.claims : await verifyIdToken(provider, tokens, options.clientId);
          // Another person than the one who signed in is a fault of somebody's, and nobody here.
          if (claims.sub !== session.claims.sub) return undefined;
          return toSession(claims, { refresh_token: session.refreshToken, ...tokens });
        } catch (error) {
          if (error instanceof GatewayError && error.status === 401) return undefined;
          throw error;
        }
      });

    const logOut = async (exchange: Exchange): Promise<GatewayResponse> => {
      // Another site must not sign people out, by a link or a form.
      if (exchange.request.headers.get("sec-fetch-site") === "cross-site")
        throw new GatewayError("FORBIDDEN", "sign out from a page of this site");
      const { endSession } = await state.provider(options.issuer, options.timeoutMs);
      const gone = [cookie(isSecure(exchange), SESSION.name, "", 0)];
      return redirect(
        endSession === undefined ? "/" : `${endSession}?client_id=${encodeURIComponent(options.clientId)}`,
        gone,
      );
    };

    return {
      identityHeaders: Object.keys(options.headers),
      handler: async function signIn(exchange, next) {
        const { path } = exchange.request;
        if (path === options.logout) return logOut(exchange);
        if (path === options.callback && /(^|&)(code|error)=/.test(exchange.request.query)) return endLogin(exchange);
        let session = await unseal<Session>(exchange, SESSION);
        let renewed: string | undefined;
        if (session !== undefined && session.until <= now()) {
          session = session.refreshToken === undefined ? undefined : await refresh(session);
          if (session !== undefined) renewed = await sessionCookie(exchange, session);
        }
        if (session === undefined) return beginLogin(exchange);
        const holder = findHolder(session.claims, consumers, clock.nowMs());
        exchange.consumer = toConsumer(session.claims, String(session.claims.sub), options, holder);
        removeCredential(exchange, SESSION);
        appendHeaders(exchange, toClaimHeaders(session.claims, options.headers));
        const response = await next(exchange);
        if (renewed !== undefined) response.headers.append("Set-Cookie", renewed);
        return response;
      },
    };
  },
});

/** What is learnt of the provider, and refreshes under way: two requests with one session ask once. */
class State {
  private known: Promise<Provider> | undefined = undefined;
  private readonly pending = new Map<string, Promise<Session | undefined>>();

  provider(issuer: string, timeoutMs: number): Promise<Provider> {
    this.known ??= discover(issuer, timeoutMs).catch((error: unknown) => {
      this.known = undefined;
      throw error;
    });
    return this.known;
  }

  once(name: string, work: () => Promise<Session | undefined>): Promise<Session | undefined> {
    let result = this.pending.get(name);
    if (result === undefined) {
      result = work().finally(() => this.pending.delete(name));
      this.pending.set(name, result);
    }
    return result;
  }
}

async function discover(issuer: string, timeoutMs: number): Promise<Provider> {
  const { status, text } = await ask(discoveryUrl(issuer), {}, timeoutMs);
  if (status !== 200) throw unavailable(new Error(`discovery answered ${status}`));
  const found = parseAnswer(text) as Record<string, string | undefined>;
  const { authorization_endpoint: authorization, token_endpoint: token, jwks_uri: keys } = found;
  if (found.issuer !== issuer || authorization === undefined || token === undefined || keys === undefined) {
    throw unavailable(new Error("the discovery document is of another issuer, or lacks endpoints"));
  }
  return {
    issuer,
    authorization,
    token,
    endSession: found.end_session_endpoint,
    keys: createRemoteJWKSet(new URL(keys)),
  };
}

/** @throws GatewayError AUTH_UNAVAILABLE when the provider talks nonsense */
function parseAnswer(text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw unavailable(cause);
  }
  if (typeof value !== "object" || value === null) throw unavailable(new Error("the provider answered no object"));
  return value;
}

async function verifyIdToken(provider: Provider, tokens: Claims, audience: string): Promise<Claims> {
  try {
    const { payload } = await jwtVerify(String(tokens.id_token), provider.keys, {
      issuer: provider.issuer,
      audience,
      requiredClaims: ["sub", "exp", "iat"],
    });
    return payload;
  } catch (cause) {
    throw new GatewayError("CREDENTIALS_INVALID", "the provider's token does not hold", { cause });
  }
}

const random = (): string => randomBytes(32).toString("base64url");

function cookie(isSecure: boolean, name: string, value: string, seconds: number): string {
  return `${name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${isSecure ? "; Secure" : ""}`;
}

function redirect(location: string, cookies: readonly string[]): GatewayResponse {
  const headers = new HeaderList(["Location", location, "Cache-Control", "no-store", "Content-Length", "0"]);
  for (const each of cookies) headers.append("Set-Cookie", each);
  return { status: 302, headers, body: null };
}

import { definePlugin, type Exchange, GatewayError, type GatewayResponse, HeaderList, Type } from "../src/plugin.ts";
import { type Asked, ask, unavailable } from "./common/ask.ts";

/**
 * Asks a service whether a request may pass: 2xx lets it, anything else is the client's answer, as it came. The service
 * sees method, target, host and address as `X-Forwarded-*`, and the fields that are named; never the body.
 */
export default definePlugin({
  name: "forward-auth",
  phase: "authenticate",
  options: Type.Object({
    url: Type.String({ pattern: "^https?://", description: "The service to ask." }),
    requestHeaders: Type.Array(Type.String(), {
      default: ["Authorization", "Cookie"],
      description: "Request fields that it sees. Authorization and Cookie among them end here.",
    }),
    upstreamHeaders: Type.Array(Type.String(), {
      default: [],
      description: "Fields of its answer that the upstream sees in place of the client's.",
    }),
    consumerHeader: Type.Optional(Type.String({ description: "Field of its answer that names the consumer." })),
    forwardCredential: Type.Boolean({
      default: false,
      description: "The upstream sees Authorization and Cookie, too.",
    }),
    timeoutMs: Type.Integer({
      default: 3000,
      minimum: 1,
      description: "How long the service may take; beyond it, 503.",
    }),
  }),
  setup({ options }) {
    const { consumerHeader, upstreamHeaders } = options;
    const sent = options.requestHeaders.map((name) => name.toLowerCase());
    const credentials = options.forwardCredential ? [] : sent.filter((name) => CREDENTIALS.has(name));
    return {
      // A field that the service must see cannot be dropped before: its answer replaces it below.
      identityHeaders: upstreamHeaders.filter((name) => !sent.includes(name.toLowerCase())),
      handler: async function askToPass(exchange, next) {
        const answer = await ask(options.url, { headers: question(exchange, sent) }, options.timeoutMs);
        if (answer.status >= 500) throw unavailable(new Error(`${options.url} answered ${answer.status}`));
        if (answer.status < 200 || answer.status > 299) return refusal(answer);
        if (consumerHeader !== undefined) {
          const name = answer.headers.get(consumerHeader);
          if (name === null || name === "") throw new GatewayError("FORBIDDEN", "the service named no consumer");
          exchange.consumer = { name };
        }
        for (const name of credentials) exchange.request.headers.delete(name);
        for (const name of upstreamHeaders) {
          exchange.request.headers.delete(name);
          const value = answer.headers.get(name);
          if (value !== null) exchange.request.headers.append(name, value);
        }
        return next(exchange);
      },
    };
  },
});

const CREDENTIALS = new Set(["authorization", "proxy-authorization", "cookie"]);

function question({ request, client }: Exchange, sent: readonly string[]): Headers {
  const headers = new Headers({
    "X-Forwarded-Method": request.method,
    "X-Forwarded-Proto": request.scheme,
    "X-Forwarded-Host": request.authority,
    "X-Forwarded-Uri": request.query === "" ? request.path : `${request.path}?${request.query}`,
    "X-Forwarded-For": client.address,
  });
  for (const name of sent) {
    const value = request.headers.getJoined(name);
    if (value !== undefined) headers.set(name, value);
  }
  return headers;
}

/** What of a refusal reaches the client; framing is the gateway's own. */
const KEPT = ["content-type", "www-authenticate", "location", "retry-after", "cache-control"];

function refusal({ status, headers, text }: Asked): GatewayResponse {
  const kept = new HeaderList();
  for (const name of KEPT) {
    const value = headers.get(name);
    if (value !== null) kept.append(name, value);
  }
  for (const cookie of headers.getSetCookie()) kept.append("Set-Cookie", cookie);
  const body = Buffer.from(text);
  kept.append("Content-Length", String(body.length));
  return { status: status < 300 ? 403 : status, headers: kept, body };
}

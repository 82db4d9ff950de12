import { defineHooks, definePlugin, type Exchange, type GatewayResponse, HeaderList, Type } from "../src/plugin.ts";

const options = Type.Object(
  {
    origins: Type.Union([Type.Literal("*"), Type.Array(Type.String(), { minItems: 1 })], {
      default: "*",
      description:
        'Origins that may read answers: "*", or a list such as ["https://app.example.com", "https://*.example.com"].',
    }),
    credentials: Type.Boolean({
      default: false,
      description: "Let a browser send cookies and Authorization. Needs a list of origins.",
    }),
    requestHeaders: Type.Optional(
      Type.Array(Type.String(), {
        description: "Request headers that may be sent. Default: those that are asked for.",
      }),
    ),
    exposeHeaders: Type.Array(Type.String(), {
      default: ["RateLimit", "RateLimit-Policy", "Retry-After", "ETag", "Link", "Location", "X-Request-Id"],
      description: "Response headers that a page may read.",
    }),
    maxAgeSeconds: Type.Integer({
      default: 600,
      minimum: 0,
      description: "How long a browser remembers the answer to a preflight.",
    }),
    privateNetwork: Type.Boolean({
      default: false,
      description: "Allow pages of public sites to reach a private network.",
    }),
  },
  { additionalProperties: false },
);

export default definePlugin({
  name: "cors",
  phase: "observe",
  options,
  setup({ options }) {
    if (options.credentials && options.origins === "*") {
      throw new RangeError('credentials needs a list of origins: with "*" any site could act for its visitor');
    }
    const isAllowed = createOriginCheck(options.origins);
    const isAnyone = options.origins === "*";
    const expose = options.exposeHeaders.join(", ");

    function allow(headers: HeaderList, origin: string): void {
      headers.set("Access-Control-Allow-Origin", isAnyone ? "*" : origin);
      if (options.credentials) headers.set("Access-Control-Allow-Credentials", "true");
    }

    function preflight(exchange: Exchange, methods: readonly string[]): GatewayResponse {
      const { headers: asked } = exchange.request;
      const origin = asked.get("origin") ?? "";
      const headers = new HeaderList();
      headers.append("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
      // Without these fields the browser refuses: that is the answer to an origin that is not allowed.
      if (isAllowed(origin)) {
        allow(headers, origin);
        headers.append("Access-Control-Allow-Methods", methods.join(", "));
        const wanted = options.requestHeaders?.join(", ") ?? asked.getJoined("access-control-request-headers");
        if (wanted !== undefined && wanted !== "") headers.append("Access-Control-Allow-Headers", wanted);
        headers.append("Access-Control-Max-Age", String(options.maxAgeSeconds));
        if (options.privateNetwork && asked.get("access-control-request-private-network") === "true") {
          headers.append("Access-Control-Allow-Private-Network", "true");
        }
      }
      return { status: 204, headers, body: null };
    }

    const hooks = defineHooks({
      onRequest: (exchange) => exchange.request.headers.get("origin"),
      onResponse(_exchange, { headers }, origin) {
        // The gateway speaks for the service here: its own fields would be a second, contradicting answer.
        headers.filter(isNotCors);
        if (!isAnyone) addVary(headers, "Origin");
        if (origin === undefined || !isAllowed(origin)) return;
        allow(headers, origin);
        if (expose !== "") headers.append("Access-Control-Expose-Headers", expose);
      },
    });

    return { hooks, preflight };
  },
});

const isNotCors = (name: string): boolean => !name.startsWith("access-control-");

function createOriginCheck(origins: "*" | readonly string[]): (origin: string) => boolean {
  if (origins === "*") return () => true;
  const exact = new Set(origins.filter((origin) => !origin.includes("*")));
  for (const origin of exact) {
    // `null` is whatever has no origin of its own: a sandboxed frame of anybody, too. `x://` is that of an app.
    const isWeb = /^https?:/i.test(origin);
    if (
      isWeb ? !URL.canParse(origin) || new URL(origin).origin !== origin : !/^[a-z][a-z0-9+.-]*:\/\/[^/]+$/.test(origin)
    )
      throw new RangeError(
        `${origin} is not an origin; write https://app.example.com, without a path or a port that is the default`,
      );
  }
  const wild = origins
    .filter((origin) => origin.includes("*"))
    .map((origin) => {
      const [before = "", after = "", ...more] = origin.split("*");
      if (more.length > 0 || !/^https?:\/\/$/.test(before) || !/^\.[a-z0-9.-]+(:\d+)?$/.test(after)) {
        throw new RangeError(`${origin} is not an origin; write https://app.example.com or https://*.example.com`);
      }
      return { before, after };
    });
  return (origin) =>
    exact.has(origin) ||
    wild.some(
      ({ before, after }) =>
        origin.startsWith(before) &&
        origin.endsWith(after) &&
        /^[a-z0-9.-]+$/.test(origin.slice(before.length, -after.length)),
    );
}

function addVary(headers: HeaderList, name: string): void {
  const vary = headers.getJoined("vary");
  if (vary === undefined) headers.append("Vary", name);
  else if (
    vary !== "*" &&
    !vary
      .toLowerCase()
      .split(/\s*,\s*/)
      .includes(name.toLowerCase())
  ) {
    headers.set("Vary", `${vary}, ${name}`);
  }
}

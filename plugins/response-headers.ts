import { defineHooks, definePlugin, Type } from "../src/plugin.ts";
import { compileHeaderChanges } from "./transforming/header-changes.ts";

/** What an API should say to browsers (OWASP REST Security Cheat Sheet), unless the service says something itself. */
const SAFE = {
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Referrer-Policy": "no-referrer",
  "Permissions-Policy": "browsing-topics=()",
};
/** What tells an attacker which advisory to look up. */
const TELLING = ["Server", "X-Powered-By", "X-AspNet-Version", "X-AspNetMvc-Version", "X-Runtime", "X-Generator"];

export default definePlugin({
  name: "response-headers",
  phase: "observe",
  options: Type.Object(
    {
      safe: Type.Boolean({
        default: true,
        description: `Add, where the service says nothing: ${Object.keys(SAFE).join(", ")}; and remove ${TELLING.join(", ")}.`,
      }),
      hstsSeconds: Type.Integer({
        default: 31_536_000,
        minimum: 0,
        description: "Strict-Transport-Security over https; 0 sends none.",
      }),
      set: Type.Optional(
        Type.Record(Type.String(), Type.String(), { description: "Fields of every answer, over the service's." }),
      ),
      remove: Type.Optional(
        Type.Array(Type.String(), { description: "Fields that no client sees; a trailing * stands for any ending." }),
      ),
    },
    { additionalProperties: false },
  ),
  setup({ options }) {
    const { safe, hstsSeconds } = options;
    const change = compileHeaderChanges({
      remove: [...(safe ? TELLING : []), ...(options.remove ?? [])],
      set: options.set ?? {},
      default: safe ? SAFE : {},
    });
    const hsts = `max-age=${hstsSeconds}; includeSubDomains`;
    return defineHooks({
      onResponse(exchange, { headers }) {
        change(headers, exchange);
        // Over plain http a browser ignores the field, and anybody on the way could have written it (RFC 6797 §7.2).
        const isSecure = exchange.request.scheme === "https";
        if (hstsSeconds > 0 && isSecure && !headers.has("strict-transport-security")) {
          headers.append("Strict-Transport-Security", hsts);
        }
      },
    });
  },
});

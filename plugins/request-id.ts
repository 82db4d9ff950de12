import { defineHooks, definePlugin, Type } from "../src/plugin.ts";

/** What may stand in a log line and in a header field; anything else a client sends is replaced. */
const SAFE = /^[\w.:+/=@-]{1,128}$/;

export default definePlugin({
  name: "request-id",
  phase: "observe",
  options: Type.Object(
    {
      header: Type.String({
        default: "X-Request-Id",
        pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
        description: "Header field that carries the id, to the upstream and back to the client.",
      }),
      trustClient: Type.Boolean({
        default: true,
        description: "Keep the id that a client sends, when it has at most 128 letters, digits and .:+/=@_- .",
      }),
    },
    { additionalProperties: false },
  ),
  setup({ options }) {
    const { header, trustClient } = options;
    const lower = header.toLowerCase();
    return defineHooks({
      onRequest({ id, request: { headers } }) {
        const given = trustClient ? headers.get(lower) : undefined;
        const known = given !== undefined && SAFE.test(given) ? given : id;
        headers.set(header, known);
        return known;
      },
      onResponse(_exchange, { headers }, id) {
        headers.set(header, id);
      },
    });
  },
});

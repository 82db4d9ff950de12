import { definePlugin, GatewayError, HeaderList, Type } from "../src/plugin.ts";
import { escapeSegment } from "./transforming/escape.ts";
import { compileTemplate } from "./transforming/template.ts";

export default definePlugin({
  name: "redirect",
  phase: "transform",
  options: Type.Object(
    {
      to: Type.String({ description: "Where to: a path, or https://host/path, as /v2/pets/${params.id}." }),
      status: Type.Union(
        [301, 302, 303, 307, 308].map((status) => Type.Literal(status)),
        {
          default: 307,
          description: "301, 302, 303, 307 or 308.",
        },
      ),
      keepQuery: Type.Boolean({ default: true, description: "Send the query of the request along." }),
    },
    { additionalProperties: false },
  ),
  setup({ options }) {
    // A place in the host would let a request choose where its sender is sent.
    if (!/^(https?:\/\/[^/$\\]+(\/.*)?|\/|\/[^/\\].*)$/.test(options.to)) {
      throw new RangeError(`${options.to} is not a place to go; write /path or https://host/path`);
    }
    const to = compileTemplate(options.to, escapeSegment);
    const joint = options.to.includes("?") ? "&" : "?";
    return async function redirectRequest(exchange) {
      let location = to(exchange);
      if (location === undefined)
        throw new GatewayError("REQUEST_INVALID", "the request lacks what its new place is made of");
      if (options.keepQuery && exchange.request.query !== "") location += joint + exchange.request.query;
      return {
        status: options.status,
        headers: new HeaderList(["Location", location, "Content-Length", "0"]),
        body: null,
      };
    };
  },
});

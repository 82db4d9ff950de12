import { defineHooks, definePlugin, Type } from "../src/plugin.ts";
import { compileHeaderChanges, HeaderChanges } from "./transforming/header-changes.ts";

export default definePlugin({
  name: "headers",
  phase: "transform",
  options: Type.Object(
    {
      request: Type.Optional({
        ...HeaderChanges,
        description:
          "Changes before the request goes to the service. Values may hold ${params.id}, ${claims.sub} and the like.",
      }),
      response: Type.Optional({ ...HeaderChanges, description: "Changes before the answer goes to the client." }),
    },
    { additionalProperties: false, minProperties: 1 },
  ),
  setup({ options }) {
    const changeRequest = options.request && compileHeaderChanges(options.request);
    const changeResponse = options.response && compileHeaderChanges(options.response);
    return defineHooks({
      onRequest(exchange) {
        changeRequest?.(exchange.request.headers, exchange);
      },
      onResponse(exchange, { headers }) {
        changeResponse?.(headers, exchange);
      },
    });
  },
});

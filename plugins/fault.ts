import { setTimeout as delay } from "node:timers/promises";
import { definePlugin, GatewayError, HeaderList, Type } from "../src/plugin.ts";

const Share = Type.Number({
  minimum: 0,
  maximum: 100,
  default: 100,
  description: "Share of requests that it happens to, in per cent.",
});

export default definePlugin({
  name: "fault",
  phase: "forward",
  // A delay may be long on purpose.
  callTimeoutMs: 0,
  options: Type.Object(
    {
      delay: Type.Optional(
        Type.Object(
          {
            ms: Type.Integer({ minimum: 1, maximum: 600_000, description: "How long a request is held." }),
            percent: Share,
          },
          { additionalProperties: false, description: "Hold requests before they go to the service." },
        ),
      ),
      abort: Type.Optional(
        Type.Object(
          {
            status: Type.Optional(
              Type.Integer({ minimum: 400, maximum: 599, description: "Status instead of 503 FAULT_INJECTED." }),
            ),
            percent: Share,
          },
          { additionalProperties: false, description: "Answer without asking the service." },
        ),
      ),
    },
    { additionalProperties: false },
  ),
  setup({ options, allowFaults }) {
    if (!allowFaults)
      throw new Error("breaks requests on purpose; write allowFaults: true at the top of portico.yaml first");
    const { delay: held, abort } = options;
    const delayShare = held === undefined ? 0 : held.percent / 100;
    const abortShare = abort === undefined ? 0 : abort.percent / 100;
    return async function injectFault(exchange, next) {
      if (held !== undefined && Math.random() < delayShare) await delay(held.ms);
      if (abort === undefined || Math.random() >= abortShare) return next(exchange);
      if (abort.status === undefined) throw new GatewayError("FAULT_INJECTED", "the configuration asks for it");
      return { status: abort.status, headers: new HeaderList(["Content-Length", "0"]), body: null };
    };
  },
});

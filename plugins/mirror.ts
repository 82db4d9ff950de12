import { definePlugin, type Exchange, isStream, Type } from "../src/plugin.ts";
import { tee } from "./common/tee.ts";

export default definePlugin({
  name: "mirror",
  phase: "forward",
  options: Type.Object(
    {
      upstream: Type.Unknown({ description: "The service that gets the copies, as `upstream` of a route." }),
      percent: Type.Number({
        minimum: 0,
        maximum: 100,
        default: 100,
        description:
          "Share of requests that are copied, in per cent. A copy that reads its body too slowly is given up.",
      }),
      maxPending: Type.Integer({
        default: 100,
        minimum: 1,
        description: "Copies under way at once; beyond it none are made, so that a slow copy costs nothing.",
      }),
    },
    { additionalProperties: false },
  ),
  setup({ options, forwardTo, shared, log }) {
    const toMirror = forwardTo(options.upstream as object);
    const share = options.percent / 100;
    const pending = shared(() => ({ count: 0 }));

    async function copy(errand: Exchange): Promise<void> {
      pending.count++;
      try {
        const { body } = await toMirror(errand);
        if (isStream(body)) await body.on("error", () => {}).forEach(() => {});
      } catch (cause) {
        log.debug({ err: cause }, "a mirrored request failed");
      } finally {
        pending.count--;
      }
    }

    return function mirrorRequest(exchange, next) {
      if (pending.count < options.maxPending && Math.random() < share) {
        const errand = exchange.fork();
        const { body } = exchange.request;
        if (isStream(body)) [exchange.request.body, errand.request.body] = tee(body);
        void copy(errand);
      }
      return next(exchange);
    };
  },
});

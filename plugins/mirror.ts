import { definePlugin, type Exchange, isStream, Type } from "../src/plugin.ts";

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
        description: "Share of requests that are copied, in per cent. One whose body streams is not: nothing holds it.",
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
      const isCopied = pending.count < options.maxPending && !isStream(exchange.request.body) && Math.random() < share;
      if (isCopied) void copy(exchange.fork());
      return next(exchange);
    };
  },
});

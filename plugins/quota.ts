import { definePlugin, GatewayError, StoreUnavailable, Type } from "../src/plugin.ts";
import { keyByAll } from "./limiting/caller-key.ts";
import { costOf } from "./limiting/cost.ts";

const DAY_MS = 86_400_000;

export default definePlugin({
  name: "quota",
  phase: "limit",
  options: Type.Object(
    {
      limit: Type.Integer({ minimum: 1, description: "Requests in each period." }),
      per: Type.Union([Type.Literal("day"), Type.Literal("month")], {
        default: "month",
        description: "A day or a month of the calendar, in UTC.",
      }),
      by: Type.Union([Type.String(), Type.Array(Type.String(), { minItems: 1 })], {
        default: "consumer",
        description: "What is counted apart, as `by` of rate-limit.",
      }),
      onStoreFailure: Type.Union([Type.Literal("open"), Type.Literal("closed")], {
        default: "closed",
        description: "While the store is away: let everything pass, or refuse with 503.",
      }),
    },
    { additionalProperties: false },
  ),
  async setup({ options, operation, store, id, clock }) {
    const { limit, per } = options;
    const keyOf = await keyByAll(options.by);
    const cost = costOf(undefined, operation);

    return async function countQuota(exchange, next) {
      const nowMs = clock.nowMs();
      const period = new Date(nowMs).toISOString().slice(0, per === "day" ? 10 : 7);
      const endMs = endOf(nowMs, per);
      let used: number;
      try {
        // A day longer than the period, as clocks of several gateways differ; the next one counts under its own name.
        used = await store.increase(`quota:${id}:${period}:${keyOf(exchange)}`, cost(exchange), endMs - nowMs + DAY_MS);
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        if (options.onStoreFailure === "open") return next(exchange);
        throw new GatewayError("STORE_UNAVAILABLE", "the quota cannot be counted now", { cause: error });
      }
      const seconds = Math.max(1, Math.ceil((endMs - nowMs) / 1000));
      const policy = `"${per}";q=${limit}`;
      const field = `"${per}";r=${Math.max(0, Math.floor(limit - used))};t=${seconds}`;
      if (used > limit) {
        throw new GatewayError("CALL_QUOTA_EXCEEDED", `${limit} requests a ${per} are allowed`, {
          headers: { "Retry-After": String(seconds), "RateLimit-Policy": policy, RateLimit: field },
        });
      }
      const response = await next(exchange);
      response.headers.append("RateLimit-Policy", policy);
      response.headers.append("RateLimit", field);
      return response;
    };
  },
});

function endOf(nowMs: number, per: "day" | "month"): number {
  const now = new Date(nowMs);
  const [year, month] = [now.getUTCFullYear(), now.getUTCMonth()];
  return per === "month" ? Date.UTC(year, month + 1) : Date.UTC(year, month, now.getUTCDate() + 1);
}

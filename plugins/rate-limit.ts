import {
  defineHooks,
  definePlugin,
  type Exchange,
  GatewayError,
  type GatewayResponse,
  parseRate,
  StoreUnavailable,
  Type,
} from "../src/plugin.ts";
import { ALGORITHMS, type AlgorithmName, type Limit } from "./limiting/algorithms.ts";
import { keyByAll } from "./limiting/caller-key.ts";
import { costOf } from "./limiting/cost.ts";
import { LocalLimiter, type Verdict } from "./limiting/limiter.ts";
import { RateLimitFields, toSeconds } from "./limiting/rate-limit-fields.ts";
import { RedisLimiter } from "./limiting/redis-limiter.ts";

const Rate = Type.String({ pattern: "^[1-9]\\d*\\s*/\\s*(s|sec|second|m|min|minute|h|hour|d|day)$" });

const options = Type.Object(
  {
    rate: Type.Union([Rate, Type.Array(Rate, { minItems: 1, maxItems: 8 })], {
      description:
        "How many requests in which time, as 10/s, 100/min, 1000/h or 50000/day; several as a list, all of which hold.",
    }),
    by: Type.Union([Type.String(), Type.Array(Type.String(), { minItems: 1 })], {
      default: "consumer",
      description:
        "What is counted apart: consumer, address (of IPv6 its /64), operation, route, header:<name>, query:<name>, cookie:<name>, expression:<CEL> (as policy takes it); several as a list. " +
        "A caller without it is counted by its address.",
    }),
    algorithm: Type.Union(
      Object.keys(ALGORITHMS).map((name) => Type.Literal(name as AlgorithmName)),
      {
        default: "gcra",
        description:
          "gcra lets the whole rate come at once and then refills evenly; sliding-window, fixed-window, token-bucket.",
      },
    ),
    burst: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: "How many may come at once (gcra and token-bucket). Default: the whole count of the rate.",
      }),
    ),
    cost: Type.Optional(
      Type.Union([Type.Number({ exclusiveMinimum: 0 }), Type.String({ pattern: "^(query|header|path):.+$" })], {
        description:
          "What a request counts: a number, or a parameter that says it, as query:limit. Default: x-cost of the operation, else 1.",
      }),
    ),
    phase: Type.Optional(
      Type.Union([Type.Literal("limit"), Type.Literal("limit-address")], {
        description:
          "limit-address stands before authentication, limit after it. Default: limit-address when counted by address alone.",
      }),
    ),
    anonymous: Type.Union([Type.Literal("address"), Type.Literal("unlimited")], {
      default: "address",
      description: "Callers without a consumer: counted by their address, or not at all.",
    }),
    headers: Type.Boolean({ default: true, description: "Send RateLimit and RateLimit-Policy with every answer." }),
    dryRun: Type.Boolean({
      default: false,
      description:
        "Count, and measure what would be refused (portico_plugin_rate_limit_dry_run_total); refuse nothing.",
    }),
    onStoreFailure: Type.Union([Type.Literal("local"), Type.Literal("open"), Type.Literal("closed")], {
      default: "local",
      description: "While Redis is away or slow: count on this machine alone, let everything pass, or refuse with 503.",
    }),
    maxKeys: Type.Integer({
      default: 1_000_000,
      minimum: 1,
      description: "Callers remembered on this machine; beyond it, the least limited are forgotten.",
    }),
  },
  { additionalProperties: false },
);

export default definePlugin({
  name: "rate-limit",
  phase: "limit",
  options,
  async setup({ options, operation, clock, kept, store, id, metrics }) {
    const limits = [options.rate].flat().map((rate) => toLimit(rate, options.burst));
    const keyOf = await keyByAll(options.by);
    const cost = costOf(options.cost, operation);
    const fields = new RateLimitFields(limits);
    const local = kept(() => new LocalLimiter(limits, ALGORITHMS[options.algorithm], options.maxKeys));
    const runScript = store.runScript?.bind(store);
    const redis = runScript && new RedisLimiter(runScript, id, limits, options.algorithm);
    const isAddressOnly = options.by === "address";
    const wouldRefuse = metrics.counter("rate_limit_dry_run_total", "Requests that a limit in a dry run would refuse.");
    const sparesAnonymous = options.anonymous === "unlimited";

    /** @returns the field for the answer. @throws GatewayError when there is nothing left */
    function judge(verdict: Verdict): string {
      const field = fields.of(verdict);
      if (verdict.waitMs > 0) {
        if (!options.dryRun) throw toRefusal(verdict, fields, field);
        wouldRefuse.add();
      }
      return field;
    }
    const isSpared = (exchange: Exchange): boolean => sparesAnonymous && exchange.consumer === undefined;
    const takeLocally = (exchange: Exchange): string =>
      judge(local.take(keyOf(exchange), cost(exchange), clock.monotonicMs()));

    /** @returns undefined when nothing was counted */
    async function takeTogether(exchange: Exchange, redis: RedisLimiter): Promise<string | undefined> {
      let verdict: Verdict;
      try {
        verdict = await redis.take(keyOf(exchange), cost(exchange));
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        if (options.onStoreFailure === "open") return undefined;
        if (options.onStoreFailure === "local") return takeLocally(exchange);
        throw new GatewayError("STORE_UNAVAILABLE", "limits cannot be counted now", {
          cause: error,
          headers: { "Retry-After": "1" },
        });
      }
      return judge(verdict);
    }

    function tell({ headers }: GatewayResponse, field: string | undefined): void {
      if (field === undefined || !options.headers) return;
      headers.append("RateLimit-Policy", fields.policy);
      headers.append("RateLimit", field);
    }

    const phase = options.phase ?? (isAddressOnly ? "limit-address" : "limit");
    if (redis === undefined) {
      const hooks = defineHooks({
        onRequest: (exchange) => (isSpared(exchange) ? undefined : takeLocally(exchange)),
        onResponse: (_exchange, response, field) => tell(response, field),
      });
      return { phase, hooks };
    }
    return {
      phase,
      async handler(exchange, next) {
        if (isSpared(exchange)) return next(exchange);
        const field = await takeTogether(exchange, redis);
        const response = await next(exchange);
        tell(response, field);
        return response;
      },
    };
  },
});

function toLimit(rate: string, burst: number | undefined): Limit {
  const { count, perSeconds } = parseRate(rate);
  return { name: rate.replace(/\s/g, ""), count, windowMs: perSeconds * 1000, burst: burst ?? count };
}

function toRefusal(verdict: Verdict, fields: RateLimitFields, field: string): GatewayError {
  const headers: Record<string, string> = { "RateLimit-Policy": fields.policy, RateLimit: field };
  if (!Number.isFinite(verdict.waitMs)) {
    return new GatewayError("RATE_LIMITED", "this request asks for more than the limit ever allows", { headers });
  }
  const seconds = Math.max(1, toSeconds(verdict.waitMs));
  headers["Retry-After"] = String(seconds);
  return new GatewayError("RATE_LIMITED", `try again in ${seconds} s`, { headers });
}

import { createHash } from "node:crypto";
import { definePlugin, type Exchange, Type } from "../src/plugin.ts";

export default definePlugin({
  name: "canary",
  phase: "transform",
  options: Type.Object(
    {
      upstream: Type.Unknown({ description: "The other service, as `upstream` of a route." }),
      percent: Type.Number({
        minimum: 0,
        maximum: 100,
        default: 0,
        description: "Share of the requests in per cent; a consumer always goes the same way.",
      }),
      by: Type.Union([Type.Literal("chance"), Type.Literal("address")], {
        default: "chance",
        description:
          "How the share is taken of callers without a name: of their requests by chance, or of their addresses, which is no share of anything behind a proxy that hides them.",
      }),
      header: Type.Optional(
        Type.String({
          minLength: 1,
          description: "Requests with this field go there: X-Canary, or with its value X-Canary: yes.",
        }),
      ),
      consumers: Type.Array(Type.String(), {
        default: [],
        description: "Consumers, or groups of them, that go there.",
      }),
    },
    { additionalProperties: false },
  ),
  setup({ options, forwardTo, id }) {
    const toCanary = forwardTo(options.upstream as object);
    const share = options.percent / 100;
    const [name = "", wanted] = (options.header ?? "").toLowerCase().split(/:\s*/);
    const consumers = new Set(options.consumers);

    const isChosen = ({ consumer, client, request }: Exchange): boolean => {
      const given = name === "" ? undefined : request.headers.get(name);
      if (given !== undefined && (wanted === undefined || given.toLowerCase() === wanted)) return true;
      if (
        consumer !== undefined &&
        (consumers.has(consumer.name) || consumer.groups?.some((group) => consumers.has(group)))
      )
        return true;
      if (share === 0) return false;
      const caller = consumer?.name ?? (options.by === "address" ? client.address : undefined);
      return (caller === undefined ? Math.random() : shareOf(`${id}\n${caller}`)) < share;
    };
    // Past the cache: what it answers is never kept for the others.
    return async function sendToCanary(exchange, next) {
      return isChosen(exchange) ? toCanary(exchange) : next(exchange);
    };
  },
});

/** @returns 0 to 1, the same for the same caller, and evenly spread */
const shareOf = (caller: string): number => createHash("sha256").update(caller).digest().readUInt32BE() / 2 ** 32;

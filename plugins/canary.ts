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
        description: "Share of callers in per cent; one caller always goes the same way.",
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
      return share > 0 && shareOf(`${id}\n${consumer?.name ?? client.address}`) < share;
    };
    // Past the cache: what it answers is never kept for the others.
    return async function sendToCanary(exchange, next) {
      return isChosen(exchange) ? toCanary(exchange) : next(exchange);
    };
  },
});

/** @returns 0 to 1, the same for the same caller, and evenly spread */
const shareOf = (caller: string): number => createHash("sha256").update(caller).digest().readUInt32BE() / 2 ** 32;

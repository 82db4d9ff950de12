import type { Exchange, Operation } from "../../src/plugin.ts";

export type CostOf = (exchange: Exchange) => number;

/**
 * What a request counts for.
 * @param cost a number, or `query:<name>`, `header:<name>`, `path:<name>`: the number that the parameter has, at least 1,
 *   and where it is absent the default that its schema gives it; undefined: `x-cost` of the operation, else 1
 */
export function costOf(cost: number | string | undefined, operation: Operation): CostOf {
  if (typeof cost === "string") return costOfParameter(cost, operation);
  const declared = operation.extensions["x-cost"];
  const fixed = cost ?? (typeof declared === "number" && declared > 0 ? declared : 1);
  return () => fixed;
}

function costOfParameter(source: string, operation: Operation): CostOf {
  const [place, name = ""] = source.split(/:(.*)/s);
  const lower = name.toLowerCase();
  const isMine = (parameter: Operation["parameters"][number]): boolean =>
    parameter.in === place && (place === "header" ? parameter.name.toLowerCase() === lower : parameter.name === name);
  const schema = operation.parameters.find(isMine)?.schema;
  const given = typeof schema === "object" ? Number(schema.default) : 1;
  const fallback = given >= 1 ? given : 1;
  const read = (exchange: Exchange): string | null | undefined => {
    if (place === "query") return new URLSearchParams(exchange.request.query).get(name);
    return place === "header" ? exchange.request.headers.get(lower) : exchange.pathParameters[name];
  };
  return (exchange) => {
    const text = read(exchange);
    const value = text ? Number(text) : fallback;
    // Less than a request, or no number: the validator refuses it where the spec does; here it must not be free.
    return value >= 1 ? value : 1;
  };
}

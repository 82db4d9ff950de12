import type { GatewayRequest } from "../../core/exchange.ts";
import type { Operation, Parameter } from "../../core/operation.ts";
import { schemaCheck } from "../schema/check.ts";
import { Shape } from "../schema/shape.ts";
import { decodeForm } from "./decode.ts";

/** Adds the `default` of query and header parameters that a request left out; only where the options ask for it. */
export function createDefaults(operation: Operation): ((request: GatewayRequest) => void) | undefined {
  const query: [name: string, pair: string][] = [];
  const headers: [name: string, value: string][] = [];
  for (const parameter of operation.parameters) {
    const value = defaultOf(operation, parameter);
    if (value === undefined) continue;
    if (parameter.in === "query") {
      query.push([parameter.name, `${encodeURIComponent(parameter.name)}=${encodeURIComponent(value)}`]);
    } else if (parameter.in === "header") headers.push([parameter.name, value]);
  }
  if (query.length === 0 && headers.length === 0) return undefined;
  return function addDefaults(request) {
    const given = new Set(request.query.split("&").map((pair) => decodeForm(pair.split("=", 1)[0] as string, false)));
    for (const [name, pair] of query) {
      if (!given.has(name)) request.query += request.query === "" ? pair : `&${pair}`;
    }
    for (const [name, value] of headers)
      if (!request.headers.has(name.toLowerCase())) request.headers.append(name, value);
  };
}

/** A default that is one value; lists and objects have as many ways to be written as there are styles. */
function defaultOf(operation: Operation, parameter: Parameter): string | undefined {
  if (parameter.schema === undefined) return undefined;
  const value = Shape.of(schemaCheck(operation.spec, parameter.schema, "request").schema).annotation("default");
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : undefined;
}

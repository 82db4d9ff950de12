import { Environment } from "@marcbachmann/cel-js";
import { definePlugin, type Exchange, GatewayError, Type } from "../src/plugin.ts";

/**
 * Who may do what, in the Common Expression Language: total, without loops or effects, checked when it is read.
 * It sees `consumer` (name, groups, scopes, claims), `request` (method, path, host, query, headers, params, address) and
 * `operation` (id, tags).
 */
export default definePlugin({
  name: "policy",
  phase: "authorize",
  options: Type.Object({
    allow: Type.String({ minLength: 1, description: 'Such as "admin" in consumer.groups || request.method == "GET".' }),
    message: Type.String({ default: "the policy does not allow this", description: "Told to who is refused." }),
  }),
  setup({ options, operation, log }) {
    const evaluate = parse(options.allow);
    const checked = evaluate.check();
    if (!checked.valid) throw new Error(`allow cannot hold: ${checked.error?.message ?? "unknown"}`);
    if (checked.type !== "bool" && checked.type !== "dyn") {
      throw new Error(`allow gives ${checked.type}; write an expression that gives true or false`);
    }
    const facts = { id: operation.id, tags: [...operation.tags] };

    return async function checkPolicy(exchange, next) {
      let decision: unknown;
      try {
        decision = evaluate({ consumer: consumerFacts(exchange), request: requestFacts(exchange), operation: facts });
      } catch (error) {
        // A fact that is not there, as a claim that the token lacks, allows nothing.
        log.debug({ err: error, operation: operation.id }, "a policy could not be decided");
      }
      if (decision !== true) throw new GatewayError("FORBIDDEN", options.message);
      return next(exchange);
    };
  },
});

const environment = new Environment({ unlistedVariablesAreDyn: false })
  .registerVariable("consumer", "map")
  .registerVariable("request", "map")
  .registerVariable("operation", "map");

function parse(expression: string): ReturnType<typeof environment.parse> {
  try {
    return environment.parse(expression);
  } catch (cause) {
    throw new Error(`allow is no expression: ${(cause as Error).message}`, { cause });
  }
}

/** Maps without a prototype: `constructor` is no fact about anybody. */
const plain = (entries: Iterable<readonly [string, unknown]>): Map<string, unknown> => new Map(entries);

function consumerFacts({ consumer }: Exchange): Map<string, unknown> {
  return plain([
    ["name", consumer?.name ?? ""],
    ["groups", [...(consumer?.groups ?? [])]],
    ["scopes", [...(consumer?.scopes ?? [])]],
    ["claims", consumer?.claims ?? {}],
  ]);
}

function requestFacts({ request, client, pathParameters }: Exchange): Map<string, unknown> {
  const headers = new Map<string, string>();
  request.headers.forEach((_name, value, lowerName) => {
    const earlier = headers.get(lowerName);
    headers.set(lowerName, earlier === undefined ? value : `${earlier}, ${value}`);
  });
  return plain([
    ["method", request.method],
    ["path", request.path],
    ["host", request.authority],
    ["query", plain(new URLSearchParams(request.query))],
    ["headers", headers],
    ["params", plain(Object.entries(pathParameters))],
    ["address", client.address],
  ]);
}

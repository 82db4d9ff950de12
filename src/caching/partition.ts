import { createHash } from "node:crypto";
import type { Consumer, Exchange } from "../core/exchange.ts";
import type { Operation, SecurityScheme } from "../core/operation.ts";

const partitions = new WeakMap<Consumer, string>();

/** The part of a key that belongs to a consumer: two credentials of one consumer may differ in what they may see. */
export function partitionOf(consumer: Consumer): string {
  let partition = partitions.get(consumer);
  if (partition === undefined) {
    const scopes = consumer.scopes === undefined ? [] : [...consumer.scopes].sort();
    partition = JSON.stringify([consumer.name, scopes, consumer.groups ?? []]);
    partitions.set(consumer, partition);
  }
  return partition;
}

/**
 * The part of a key that belongs to a credential nobody here has looked into, as the service guards itself.
 * A digest: a store must not hold credentials.
 * @returns of an exchange: empty when it carries none; undefined when its credential is no part of the message
 */
export function createCredentialDigest(
  operation: Operation,
  schemes: ReadonlyMap<string, SecurityScheme>,
): (exchange: Exchange) => string | undefined {
  const fields = new Set<string>(["authorization"]);
  for (const { scheme: name } of operation.security.flat()) {
    const scheme = schemes.get(name);
    if (scheme === undefined || scheme.type === "mutualTLS") return () => undefined;
    if (scheme.type !== "apiKey") continue;
    // A key in the query is part of the key already.
    if (scheme.in === "cookie") fields.add("cookie");
    if (scheme.in === "header" && scheme.parameterName !== undefined) fields.add(scheme.parameterName.toLowerCase());
  }
  return function digestCredentials(exchange) {
    const values = [...fields].map((field) => exchange.request.headers.getJoined(field) ?? null);
    if (values.every((value) => value === null)) return "";
    return createHash("sha256").update(JSON.stringify(values)).digest("base64url");
  };
}

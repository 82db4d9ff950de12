import type { Operation, SecurityScheme } from "../core/operation.ts";
import { invalidatedBy } from "./invalidation.ts";
import { keyParts } from "./key.ts";
import type { CacheOptions } from "./options.ts";

/** What the cache does for an operation, for a person: `portico explain` and the admin API show it. */
export interface CacheExplanation {
  /** What an answer is stored under, besides what `Vary` names. Empty: nothing is stored. */
  readonly key: readonly string[];
  /** Public paths whose answers a success of this operation makes the cache forget. */
  readonly invalidates: readonly string[];
}

export function explainCache(
  operation: Operation,
  options: CacheOptions,
  siblings: readonly Operation[],
  schemes?: ReadonlyMap<string, SecurityScheme>,
): CacheExplanation {
  if (options.mode === "off") return { key: [], invalidates: [] };
  if (operation.method !== "GET" && operation.method !== "HEAD") {
    return { key: [], invalidates: invalidatedBy(operation, siblings) };
  }
  const parts = keyParts(operation, options.key, schemes);
  const key = ["scheme", "host", "path"];
  if (parts.query === undefined) key.push("query");
  else key.push(...parts.query.map((name) => `query ${name}`));
  key.push(...parts.headers.map((name) => `header ${name}`), ...parts.cookies.map((name) => `cookie ${name}`));
  if (operation.security.length > 0) key.push(options.sharePublic === true ? "consumer, unless public" : "consumer");
  return { key, invalidates: [] };
}

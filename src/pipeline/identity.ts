import type { Handler } from "../core/exchange.ts";
import type { Step } from "./order.ts";

/**
 * Drops what a client says of its own identity, before any plugin runs: every field that a plugin of the operation keeps
 * for itself. `X-Consumer-*` and their twins with underscores are gone since the request was read. ATTACKS 16 to 18.
 * @returns undefined where no plugin has such a field
 */
export function createIdentityStripper(steps: readonly Step[]): Handler | undefined {
  const owned = new Set(steps.flatMap(({ identityHeaders = [] }) => identityHeaders.map((name) => name.toLowerCase())));
  if (owned.size === 0) return undefined;
  return function stripIdentity(exchange, next) {
    exchange.request.headers.filter((lowerName) => !owned.has(lowerName));
    return next(exchange);
  };
}

/** Tells the upstream who calls, in fields that only the gateway can write. */
export const setIdentity: Handler = function setIdentity(exchange, next) {
  const { consumer } = exchange;
  if (consumer === undefined) return next(exchange);
  const { headers } = exchange.request;
  headers.append("X-Consumer-Name", toFieldValue(consumer.name));
  if (consumer.groups !== undefined && consumer.groups.length > 0) {
    headers.append("X-Consumer-Groups", consumer.groups.map(toFieldValue).join(", "));
  }
  if (consumer.scopes !== undefined && consumer.scopes.size > 0) {
    headers.append("X-Consumer-Scopes", [...consumer.scopes].map(toFieldValue).join(" "));
  }
  return next(exchange);
};

const PLAIN = /^[\x21-\x24\x26-\x2b\x2d-\x7e]+$/;

/** Percent-encodes what is not a visible ASCII character, and the comma: a name can then not end its field or its item. */
export const toFieldValue = (text: string): string =>
  PLAIN.test(text) ? text : encodeURIComponent(Buffer.from(text).toString());

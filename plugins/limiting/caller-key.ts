import type { Exchange } from "../../src/plugin.ts";

export type KeyOf = (exchange: Exchange) => string;

/**
 * What requests are counted by: `consumer`, `address`, `operation`, `route` (all together), `header:<name>`, `query:<name>`,
 * `cookie:<name>`, `expression:<CEL>`. A caller that cannot be told by it is counted by its address, so that leaving something out gains nothing.
 * @throws RangeError with the forms that are known
 */
export async function keyBy(by: string): Promise<KeyOf> {
  const [kind, name = ""] = by.split(/:(.*)/s);
  if (by === "consumer") return byConsumer;
  if (by === "address") return byAddress;
  if (by === "operation") return (exchange) => `o:${exchange.operation?.method} ${exchange.operation?.publicPath}`;
  if (by === "route") return () => "all";
  if (kind === "header" && name !== "") {
    const lower = name.toLowerCase();
    return (exchange) => orAddress("h:", exchange.request.headers.getJoined(lower), exchange);
  }
  if (kind === "query" && name !== "") {
    return (exchange) => orAddress("q:", new URLSearchParams(exchange.request.query).get(name) ?? undefined, exchange);
  }
  if (kind === "cookie" && name !== "") {
    return (exchange) => orAddress("k:", findCookie(exchange.request.headers.getJoined("cookie"), name), exchange);
  }
  if (kind === "expression" && name !== "") return byExpression(name);
  throw new RangeError(
    "write consumer, address, operation, route, header:<name>, query:<name>, cookie:<name> or expression:<CEL>",
  );
}

/** One key of several: `[consumer, operation]` counts each consumer on each operation. */
export async function keyByAll(by: string | readonly string[]): Promise<KeyOf> {
  const keys = await Promise.all([by].flat().map((each) => keyBy(each)));
  const [only] = keys;
  if (keys.length === 1 && only !== undefined) return only;
  return (exchange) => keys.map((key) => key(exchange)).join("\n");
}

/** @throws Error with what is wrong with the expression */
async function byExpression(text: string): Promise<KeyOf> {
  // The language is loaded when it is asked for: no limit else needs it.
  const { compileExpression } = await import("../common/expression.ts");
  const expression = compileExpression(text, "by");
  return (exchange) => {
    let value: unknown;
    try {
      value = expression.evaluate(exchange);
    } catch {
      // A fact that is not there.
    }
    return orAddress("e:", value === undefined || value === null ? undefined : String(value), exchange);
  };
}

const byConsumer: KeyOf = (exchange) => orAddress("c:", exchange.consumer?.name, exchange);
const byAddress: KeyOf = (exchange) => `a:${networkOf(exchange.client.address)}`;
const orAddress = (prefix: string, value: string | undefined, exchange: Exchange): string =>
  value === undefined || value === "" ? byAddress(exchange) : prefix + value;

/**
 * An IPv4 address itself; of an IPv6 address its /64, as that is what one subscriber is given: whoever has one can
 * send each request from another address of it. ATTACKS 47.
 */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped !== null) return mapped[1] as string;
  const [left = "", right] = address.split("::");
  const groups = left === "" ? [] : left.split(":");
  if (right !== undefined) {
    const tail = right === "" ? [] : right.split(":");
    // An embedded IPv4 address takes the place of two groups.
    const width = tail.length + (right.includes(".") ? 1 : 0);
    while (groups.length < 8 - width) groups.push("0");
    groups.push(...tail);
  }
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}

function findCookie(header: string | undefined, name: string): string | undefined {
  for (const pair of header?.split(/[;,]/) ?? []) {
    const equals = pair.indexOf("=");
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return undefined;
}

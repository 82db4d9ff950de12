import { BlockList, isIPv6 } from "node:net";
import { definePlugin, GatewayError, Type } from "../src/plugin.ts";

const Networks = Type.Array(Type.String(), { minItems: 1 });

export default definePlugin({
  name: "ip-filter",
  phase: "limit-address",
  options: Type.Object(
    {
      allow: Type.Optional({
        ...Networks,
        description: "Addresses and networks that may call, as 10.0.0.0/8; all others may not.",
      }),
      deny: Type.Optional({
        ...Networks,
        description: "Addresses and networks that may not call; they win over allow.",
      }),
    },
    { additionalProperties: false, minProperties: 1 },
  ),
  setup({ options }) {
    const allow = options.allow && toList(options.allow);
    const deny = options.deny && toList(options.deny);
    return async function filterAddress(exchange, next) {
      const { address } = exchange.client;
      if (deny?.has(address) || allow?.has(address) === false) {
        throw new GatewayError("FORBIDDEN", "calls from this address are not taken");
      }
      return next(exchange);
    };
  },
});

/** @throws RangeError naming what is not a network */
function toList(networks: readonly string[]): { has(address: string): boolean } {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits] = network.split("/");
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    try {
      if (bits === undefined) list.addAddress(address, family);
      else list.addSubnet(address, /^\d+$/.test(bits) ? Number(bits) : Number.NaN, family);
    } catch (cause) {
      throw new RangeError(`${network} is not an address or a network; write 192.0.2.7 or 10.0.0.0/8`, { cause });
    }
  }
  // An IPv4 caller of a listener for both families comes as ::ffff:192.0.2.7: BlockList knows that it is the same one.
  return { has: (address) => list.check(address, isIPv6(address) ? "ipv6" : "ipv4") };
}

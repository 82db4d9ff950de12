import { defineHooks, definePlugin, GatewayError, Type } from "../src/plugin.ts";
import { toNetworks } from "./common/networks.ts";

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
    const allow = options.allow && toNetworks(options.allow);
    const deny = options.deny && toNetworks(options.deny);
    return defineHooks({
      onRequest({ client: { address } }) {
        if (deny?.has(address) || allow?.has(address) === false) {
          throw new GatewayError("FORBIDDEN", "calls from this address are not taken");
        }
      },
    });
  },
});

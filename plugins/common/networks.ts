import { BlockList, isIPv6 } from "node:net";
import { Remembered } from "./remembered.ts";

const MAX_KNOWN = 10_000;

/** Addresses and networks, as `10.0.0.0/8`. @throws RangeError naming what is not one */
export function toNetworks(networks: readonly string[]): { has(address: string): boolean } {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits, ...more] = network.split("/");
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    try {
      if (more.length > 0) throw new RangeError("a second slash");
      if (bits === undefined) list.addAddress(address, family);
      else list.addSubnet(address, /^\d+$/.test(bits) ? Number(bits) : Number.NaN, family);
    } catch (cause) {
      throw new RangeError(`${network} is not an address or a network; write 192.0.2.7 or 10.0.0.0/8`, { cause });
    }
  }
  // An IPv4 caller of a listener for both families comes as ::ffff:192.0.2.7: BlockList knows that it is the same one.
  const check = (address: string): boolean => list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
  // To parse an address costs twenty times a look-up, and those of the next requests are those of the last ones.
  const known = new Remembered<boolean>(MAX_KNOWN);
  return {
    has(address) {
      let isIn = known.get(address);
      if (isIn === undefined) {
        isIn = check(address);
        known.set(address, isIn);
      }
      return isIn;
    },
  };
}

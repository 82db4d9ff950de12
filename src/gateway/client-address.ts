import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Tells whose word about the client counts. */
export interface TrustedProxies {
  has(address: string): boolean;
}

/** @param networks addresses and networks, as `10.0.0.0/8`. @throws RangeError for what is neither */
export function createTrustedProxies(networks: readonly string[]): TrustedProxies {
  if (networks.length === 0) return { has: () => false };
  const ranges = networks.map(parseNetwork);
  return {
    has(address) {
      const parsed = findAddress(address);
      return (
        parsed !== undefined && ranges.some(([base, bits]) => base.kind() === parsed.kind() && parsed.match(base, bits))
      );
    },
  };
}

function parseNetwork(text: string): [Address, number] {
  try {
    if (text.includes("/")) return ipaddr.parseCIDR(text);
    const address = ipaddr.process(text);
    return [address, address.kind() === "ipv4" ? 32 : 128];
  } catch (cause) {
    throw new RangeError(`${text} is neither an address nor a network; write 10.0.0.1 or 10.0.0.0/8`, { cause });
  }
}

export const findAddress = (text: string): Address | undefined =>
  ipaddr.isValid(text) ? ipaddr.process(text) : undefined;

/** A socket's peer as it is written everywhere: an IPv4 address that came through an IPv6 socket without its `::ffff:`. */
export const toPeer = (remote: string | undefined): string =>
  remote === undefined ? "" : remote.startsWith("::ffff:") && remote.includes(".") ? remote.slice(7) : remote;

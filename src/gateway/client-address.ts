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

const findAddress = (text: string): Address | undefined => (ipaddr.isValid(text) ? ipaddr.process(text) : undefined);

/** A socket's peer as it is written everywhere: an IPv4 address that came through an IPv6 socket without its `::ffff:`. */
export const toPeer = (remote: string | undefined): string =>
  remote === undefined ? "" : remote.startsWith("::ffff:") && remote.includes(".") ? remote.slice(7) : remote;

/**
 * The client behind trusted proxies: from the right of the list, the first address that is not one of them. What stands
 * further left is the client's own claim.
 * @param forwarded fields of a trusted peer, by lower-cased name
 */
export function findClient(peer: string, forwarded: ReadonlyMap<string, string>, trusted: TrustedProxies): string {
  const hops = hopsOf(forwarded);
  let client = peer;
  for (let i = hops.length - 1; i >= 0; i--) {
    const address = findAddress(hops[i] as string);
    // A proxy that hides the address, or nonsense: whoever said it is the last that is known.
    if (address === undefined) return client;
    client = address.toString();
    if (!trusted.has(client)) return client;
  }
  return client;
}

function hopsOf(forwarded: ReadonlyMap<string, string>): string[] {
  const list = forwarded.get("x-forwarded-for");
  if (list !== undefined) return list.split(",").map((hop) => withoutPort(hop.trim()));
  const standard = forwarded.get("forwarded") ?? "";
  return [...standard.matchAll(/(?:^|[;,\s])for=("[^"]*"|[^;,\s]*)/gi)].map((match) =>
    withoutPort((match[1] as string).replaceAll('"', "")),
  );
}

/** `[2001:db8::1]:4711` and `192.0.2.1:4711` without the port. */
function withoutPort(hop: string): string {
  if (hop.startsWith("[")) return hop.slice(1, hop.indexOf("]"));
  const colon = hop.indexOf(":");
  return colon > 0 && hop.indexOf(":", colon + 1) < 0 ? hop.slice(0, colon) : hop;
}

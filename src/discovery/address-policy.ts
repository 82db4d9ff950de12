import { lookup } from "node:dns/promises";
import { networkInterfaces } from "node:os";
import ipaddr from "ipaddr.js";

export interface AddressOptions {
  /** Only in these networks, such as 10.0.0.0/8. Default: anywhere that is not refused. */
  readonly allow?: readonly string[] | undefined;
  /** Not in these. */
  readonly deny?: readonly string[] | undefined;
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = [Address, number];

/** Clouds answer secrets there to whoever asks from the machine (ATTACKS 52); AWS's and Google's IPv6 ones are not link-local. */
const METADATA: readonly Network[] = [
  "169.254.0.0/16",
  "fe80::/10",
  "fec0::/10",
  "fd00:ec2::254/128",
  "fd20:ce::254/128",
  "100.100.100.200/32",
  "168.63.129.16/32",
].map((text) => ipaddr.parseCIDR(text) as Network);

/** Deprecated (RFC 4291 §2.5.5.1), and still spelt by who hides something. */
const COMPATIBLE = ipaddr.parseCIDR("::/96") as [ipaddr.IPv6, number];

/** Ranges in which no service lives. */
const NOWHERE = new Set([
  "unspecified",
  "broadcast",
  "multicast",
  "reserved",
  "benchmarking",
  "discard",
  "6to4",
  "teredo",
]);

/** Where an instance may live. Asked when one registers, and again at each connect: a name may point elsewhere by then. */
export class AddressPolicy {
  private readonly allow: readonly Network[];
  private readonly deny: readonly Network[];
  private readonly ownPorts = new Set<number>();
  private readonly trusted = new Set<string>();

  /** @throws RangeError for a network that cannot be read */
  constructor(options: AddressOptions = {}) {
    this.allow = (options.allow ?? []).map(parseNetwork);
    this.deny = (options.deny ?? []).map(parseNetwork);
  }

  /** A port that this process listens on: an instance there would make the gateway call itself. */
  addOwnPort(port: number): void {
    this.ownPorts.add(port);
  }

  /** An address that the operator wrote down: not asked about at connect. */
  trust(url: string): void {
    if (!URL.canParse(url)) return;
    const parsed = new URL(url);
    this.trusted.add(`${bareHost(parsed.hostname)} ${portOf(parsed)}`);
  }

  /** @returns why an instance may not live there, or undefined @param text as the operating system's resolver gives it */
  findRefusal(text: string, port: number): string | undefined {
    const address = toAddress(text);
    if (address === undefined) return "not an IP address";
    if (contains(METADATA, address)) return "link-local and metadata addresses are refused";
    if (NOWHERE.has(address.range())) return `no service lives at ${address.range()} addresses`;
    if (contains(this.deny, address)) return "its network is denied";
    if (this.allow.length > 0 && !contains(this.allow, address)) return "its network is not among those allowed";
    if (this.ownPorts.has(port) && isOwn(address)) return "that is this process's own port";
    return undefined;
  }

  /** True where a network of `allow` was written for it. */
  isAllowedByName(text: string): boolean {
    const address = toAddress(text);
    return address !== undefined && contains(this.allow, address);
  }

  /**
   * The check at registration: a literal address in any spelling (`0x7f.1`, `[::ffff:7f00:1]`; the URL parser writes
   * them all one way), or what a name points at now. A name that does not resolve here passes: the check at connect is
   * the one that counts.
   * @param from only somebody on this machine may register what is on this machine
   */
  async findRefusalOfUrl(text: string, from: { readonly isRegistrantLocal: boolean }): Promise<string | undefined> {
    if (!URL.canParse(text)) return "not a URL";
    const url = new URL(text);
    if (url.protocol !== "http:" && url.protocol !== "https:") return "not http or https";
    if (url.username !== "" || url.password !== "") return "credentials in a URL are refused";
    const port = portOf(url);
    const host = bareHost(url.hostname);
    for (const address of await resolve(host)) {
      const refusal = this.findRefusal(address, port);
      if (refusal !== undefined) return refusal;
      if (isLoopback(address) && !from.isRegistrantLocal && !this.isAllowedByName(address)) {
        return "a loopback address means another machine to the registry than to you";
      }
    }
    return undefined;
  }

  /**
   * The check at connect, of an address that is about to be used.
   * @param host as the instance's URL names it: a name other than localhost that points at loopback is a rebinding
   */
  findRefusalAtConnect(host: string, address: string, port: number): string | undefined {
    if (this.trusted.has(`${host} ${port}`)) return undefined;
    const refusal = this.findRefusal(address, port);
    if (refusal !== undefined) return refusal;
    const isName = toAddress(bareHost(host)) === undefined;
    if (isName && host !== "localhost" && isLoopback(address) && !this.isAllowedByName(address)) {
      return "a name that points at this machine itself";
    }
    return undefined;
  }
}

const bareHost = (host: string): string => host.replace(/^\[|\]$/g, "");
const portOf = (url: URL): number => (url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port));

async function resolve(host: string): Promise<string[]> {
  if (toAddress(host) !== undefined) return [host];
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    return [];
  }
}

/** IPv4 in IPv6 clothes (`::ffff:a.b.c.d`, `::a.b.c.d`, and NAT64's `64:ff9b::`) counts as what it is underneath. */
function toAddress(text: string): Address | undefined {
  const bare = text.replace(/%.*$/, "");
  if (!ipaddr.isValid(bare)) return undefined;
  const address = ipaddr.process(bare);
  if (!(address instanceof ipaddr.IPv6)) return address;
  const isCompatible = address.match(COMPATIBLE) && address.range() !== "unspecified" && address.range() !== "loopback";
  const isDressed = isCompatible || address.range() === "rfc6052" || address.range() === "rfc6145";
  return isDressed ? ipaddr.fromByteArray(address.toByteArray().slice(12)) : address;
}

function isLoopback(text: string): boolean {
  return toAddress(text)?.range() === "loopback";
}

const contains = (networks: readonly Network[], address: Address): boolean =>
  networks.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits));

function isOwn(address: Address): boolean {
  if (address.range() === "loopback") return true;
  const text = address.toNormalizedString();
  return Object.values(networkInterfaces())
    .flat()
    .some((own) => own !== undefined && toAddress(own.address)?.toNormalizedString() === text);
}

/** True for a network such as 10.0.0.0/8, and for a single address. */
export function isNetwork(text: string): boolean {
  try {
    parseNetwork(text);
    return true;
  } catch {
    return false;
  }
}

function parseNetwork(text: string): Network {
  try {
    const [address, bits] = text.includes("/")
      ? ipaddr.parseCIDR(text)
      : ([ipaddr.parse(text), text.includes(":") ? 128 : 32] as Network);
    return [address, bits];
  } catch (cause) {
    throw new RangeError(`${text} is not a network; write one such as 10.0.0.0/8`, { cause });
  }
}

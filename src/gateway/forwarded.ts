import { isAuthority } from "./authority.ts";
import { findAddress, type TrustedProxies } from "./client-address.ts";

/** What is known of the client from a trusted proxy. */
export interface ClientSaid {
  /** The first from the right of the list that is no trusted proxy: what stands further left is the client's own claim. */
  readonly address: string;
  /** undefined where nothing usable is said of it */
  readonly scheme: "http" | "https" | undefined;
  /** `x-forwarded-for`, `x-forwarded-host` and `forwarded`, as they are continued. */
  readonly fields: ReadonlyMap<string, string>;
}

/** One hop of a list: what a proxy says of who asked it. */
interface Hop {
  /** An address without port and brackets, `unknown`, or an obfuscated identifier. */
  readonly node: string;
  readonly proto?: string | undefined;
  readonly host?: string | undefined;
}

/**
 * Brings what a trusted proxy says to one account, that `X-Forwarded-For` and `Forwarded` then tell alike. Nearly every proxy
 * writes one of the two and passes the other on as its client made it up: where the hops differ, `X-Forwarded-For` counts and
 * `Forwarded` is written anew. RFC 7239 §7.4, ATTACKS 17.
 * @param said fields of the trusted peer, by lower-cased name
 */
export function readForwarded(said: ReadonlyMap<string, string>, peer: string, trusted: TrustedProxies): ClientSaid {
  const list = said.get("x-forwarded-for");
  const standard = said.get("forwarded");
  const elements = (standard === undefined ? undefined : parseForwarded(standard)) ?? [];
  const listed = list?.split(",").map((node): Hop => ({ node: withoutPort(node.trim()) }));
  const isAgreed = listed === undefined || isSame(listed, elements);
  const hops = isAgreed ? elements : listed;
  const fields = new Map<string, string>();
  if (hops.length > 0) {
    fields.set("x-forwarded-for", list ?? hops.map(({ node }) => node).join(", "));
    fields.set("forwarded", (isAgreed && standard) || hops.map(({ node }) => `for=${toNode(node)}`).join(", "));
  }
  const { address, hop } = findClient(hops, peer, trusted);
  const hosts = said.get("x-forwarded-host") ?? hop?.host;
  if (hosts?.split(",").every((host) => isAuthority(host.trim())) === true) fields.set("x-forwarded-host", hosts);
  const scheme = (said.get("x-forwarded-proto") ?? hop?.proto)?.toLowerCase();
  return { address, scheme: scheme === "https" || scheme === "http" ? scheme : undefined, fields };
}

function findClient(
  hops: readonly Hop[],
  peer: string,
  trusted: TrustedProxies,
): { address: string; hop: Hop | undefined } {
  let address = peer;
  let hop: Hop | undefined;
  for (let i = hops.length - 1; i >= 0; i--) {
    const next = hops[i] as Hop;
    const found = findAddress(next.node)?.toString();
    // A proxy that hides the address, or nonsense: whoever said it is the last that is known.
    if (found === undefined) return { address, hop };
    address = found;
    hop = next;
    if (!trusted.has(address)) break;
  }
  return { address, hop };
}

const isSame = (listed: readonly Hop[], elements: readonly Hop[]): boolean =>
  listed.length === elements.length && listed.every(({ node }, i) => node === elements[i]?.node);

const PAIR = /[ \t]*([\w!#$%&'*+.^`|~-]+)=(?:"((?:[^"\\]|\\.)*)"|([\w!#$%&'*+.^`|~:[\]-]+))[ \t]*([;,]|$)/y;

/** @returns undefined for what RFC 7239 §4 does not allow, such as an element that names two hops */
function parseForwarded(text: string): Hop[] | undefined {
  const hops: Hop[] = [];
  let pairs = new Map<string, string>();
  PAIR.lastIndex = 0;
  for (;;) {
    const match = PAIR.exec(text);
    if (match === null) return undefined;
    const name = (match[1] as string).toLowerCase();
    if (pairs.has(name)) return undefined;
    pairs.set(name, match[3] ?? (match[2] as string).replace(/\\(.)/g, "$1"));
    if (match[4] === ";") continue;
    const node = withoutPort(pairs.get("for") ?? "unknown");
    hops.push({ node, proto: pairs.get("proto"), host: pairs.get("host") });
    pairs = new Map();
    if (match[4] === "") return hops;
  }
}

/** `[2001:db8::1]:4711` and `192.0.2.1:4711` without the port. */
function withoutPort(node: string): string {
  if (node.startsWith("[")) return node.slice(1, node.indexOf("]"));
  const colon = node.indexOf(":");
  return colon > 0 && node.indexOf(":", colon + 1) < 0 ? node.slice(0, colon) : node;
}

const OBFUSCATED = /^_[\w.-]+$/;

/** A node as `Forwarded` takes it (RFC 7239 §6). */
function toNode(node: string): string {
  if (findAddress(node) === undefined) return OBFUSCATED.test(node) ? node : "unknown";
  return node.includes(":") ? `"[${node}]"` : node;
}

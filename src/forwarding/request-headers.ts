import { defineExchangeKey, type Handler } from "../core/exchange.ts";

/** What a trusted proxy said of the client: `Forwarded` and `X-Forwarded-*` by lower-cased name. */
export const TRUSTED_FORWARDED = defineExchangeKey<ReadonlyMap<string, string>>("trusted-forwarded");

/**
 * Writes the fields that only the gateway may set; what a client sent of them is gone by now, and what a trusted proxy
 * said is continued. ATTACKS 17.
 * @param pseudonym this gateway's name in `Via`: seen again, the request has come round (RFC 9110 §7.6.3)
 */
export function createForwardedHeaders(pseudonym: string): Handler {
  const via = { "1.1": `1.1 ${pseudonym}`, "1.0": `1.0 ${pseudonym}`, "2.0": `2.0 ${pseudonym}` } as Record<
    string,
    string
  >;

  return function setForwardedHeaders(exchange, next) {
    const { request, client } = exchange;
    const { headers, authority } = request;
    const before = exchange.get(TRUSTED_FORWARDED);
    const hop = forwardedHop(client.peer, authority, request.scheme);
    if (before === undefined) {
      headers.append("X-Forwarded-For", client.peer);
      headers.append("X-Forwarded-Proto", request.scheme);
      if (authority !== "") headers.append("X-Forwarded-Host", authority);
      headers.append("Forwarded", hop);
    } else {
      headers.append("X-Forwarded-For", joined(before.get("x-forwarded-for"), client.peer));
      headers.append("X-Forwarded-Proto", request.scheme);
      headers.append("X-Forwarded-Host", before.get("x-forwarded-host") ?? authority);
      headers.append("Forwarded", joined(before.get("forwarded"), hop));
    }
    const own = via[request.httpVersion] ?? `1.1 ${pseudonym}`;
    const earlier = headers.getJoined("via");
    if (earlier === undefined) headers.append("Via", own);
    else headers.set("Via", `${earlier}, ${own}`);
    return next(exchange);
  };
}

const joined = (before: string | undefined, own: string): string => (before === undefined ? own : `${before}, ${own}`);

/** One element of `Forwarded` (RFC 7239 §4); an authority with a port and an IPv6 address must be quoted. */
function forwardedHop(peer: string, authority: string, scheme: string): string {
  const node = peer.includes(":") ? `"[${peer}]"` : peer;
  return authority === "" ? `for=${node};proto=${scheme}` : `for=${node};host="${authority}";proto=${scheme}`;
}

import { X509Certificate } from "node:crypto";
import type { PeerCertificate, TLSSocket } from "node:tls";
import {
  type Consumer,
  certificateName,
  defineHooks,
  definePlugin,
  type Exchange,
  GatewayError,
  Type,
} from "../src/plugin.ts";
import { toNetworks } from "./common/networks.ts";

/**
 * Who calls, by the client certificate of the connection. The listener verifies its chain (`listen.tls.clientCa`); what
 * the TLS layer has not authorised is nobody here.
 */
export default definePlugin({
  name: "mtls",
  phase: "authenticate",
  options: Type.Object({
    consumers: Type.Optional(
      Type.Record(Type.String({ pattern: "^(cn|dns|uri|email|ip|sha256):." }), Type.String({ minLength: 1 }), {
        minProperties: 1,
        description:
          "cn:NAME, dns:NAME, uri:URI, email:ADDRESS, ip:ADDRESS or sha256:FINGERPRINT to consumer. Default: as `consumers` of the configuration say, else the common name.",
      }),
    ),
    proxies: Type.Optional(
      Type.Array(Type.String(), {
        minItems: 1,
        description:
          "Peers that end TLS before this gateway, as 10.0.0.0/8: the certificate that they have verified is read from Client-Cert (RFC 9440). From anybody else that field is dropped.",
      }),
    ),
  }),
  setup({ options, consumers: book, clock }) {
    const consumers =
      options.consumers &&
      new Map(Object.entries(options.consumers).map(([key, name]) => [certificateName(key), name]));
    const findHolder = (names: readonly string[]): Consumer | undefined => {
      const known = names.map((each) => book.find("certificate", each)).find((each) => each !== undefined);
      if (known === undefined) return undefined;
      if (known.expiresAtMs > clock.nowMs()) return known.consumer;
      throw new GatewayError("CREDENTIALS_INVALID", "the certificate is not accepted any longer");
    };
    const proxies = options.proxies && toNetworks(options.proxies);
    const checkCertificate = (exchange: Exchange): void => {
      const isProxied = proxies?.has(exchange.client.peer) === true;
      const certificate = isProxied ? findForwarded(exchange) : findCertificate(exchange);
      if (certificate === undefined) {
        throw new GatewayError("CREDENTIALS_MISSING", "connect with a client certificate that this gateway trusts");
      }
      const names = namesOf(certificate);
      const holder = consumers === undefined ? findHolder(names) : undefined;
      const name =
        consumers === undefined
          ? names.find((each) => each.startsWith("cn:"))?.slice(3)
          : names.map((each) => consumers.get(each)).find((each) => each !== undefined);
      if (holder === undefined && name === undefined) {
        throw new GatewayError("CREDENTIALS_INVALID", "the certificate names no known consumer");
      }
      exchange.consumer = holder ?? { name: String(name) };
    };
    return { hooks: defineHooks({ onRequest: checkCertificate }), identityHeaders: FORWARDED };
  },
});

/** What a proxy says of the client's certificate: dropped from every request, so that the service believes no client. */
const FORWARDED = ["client-cert", "client-cert-chain", "x-client-cert", "x-forwarded-client-cert", "x-ssl-client-cert"];

/** The certificate that a proxy tells of (RFC 9440): anybody else could write the field, too. */
function findForwarded({ incoming }: Exchange): PeerCertificate | undefined {
  // The field itself has been dropped from the request before any plugin runs.
  const field = incoming?.headers["client-cert"];
  const encoded = typeof field === "string" ? /^:([A-Za-z0-9+/]+={0,2}):$/.exec(field)?.[1] : undefined;
  if (encoded === undefined) return undefined;
  try {
    const certificate = new X509Certificate(Buffer.from(encoded, "base64"));
    const isInTime = Date.parse(certificate.validFrom) <= Date.now() && Date.now() < Date.parse(certificate.validTo);
    return isInTime ? certificate.toLegacyObject() : undefined;
  } catch {
    return undefined;
  }
}

function findCertificate({ incoming }: Exchange): PeerCertificate | undefined {
  const socket = incoming?.socket as TLSSocket | undefined;
  if (socket?.encrypted !== true || socket.authorized !== true) return undefined;
  const certificate = socket.getPeerCertificate();
  return Object.keys(certificate).length === 0 ? undefined : certificate;
}

/** Every name a certificate gives: its fingerprint, its alternative names, its common name. */
export function namesOf(certificate: PeerCertificate): string[] {
  const names = [certificateName(`sha256:${certificate.fingerprint256}`)];
  for (const entry of certificate.subjectaltname?.split(", ") ?? []) {
    // Node quotes what could be taken for a separator (CVE-2021-44532); a quoted name is matched by nothing here.
    const [kind = "", value = ""] = splitOnce(entry, ":");
    const known = { DNS: "dns", URI: "uri", email: "email", "IP Address": "ip" }[kind];
    if (known !== undefined && !value.startsWith('"')) names.push(certificateName(`${known}:${value}`));
  }
  const common = certificate.subject?.CN as string | string[] | undefined;
  if (typeof common === "string") names.push(`cn:${common}`);
  return names;
}

const splitOnce = (text: string, by: string): string[] => {
  const at = text.indexOf(by);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + by.length)];
};

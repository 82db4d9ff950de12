import { connect as connectTcp, isIP, type OnReadOpts, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { type AddressGuard, createGuardedLookup, findRefusalOfLiteral, refuseAddress } from "../core/address-guard.ts";
import type { ResolvedTls } from "./pools.ts";

/** Opens a socket to one instance. @throws GatewayError UPSTREAM_ADDRESS_REFUSED */
export type OpenSocket = (onread?: OnReadOpts) => Socket;

const PROBE_AFTER_MS = 60_000;

/**
 * @param origin `http:` or `https:`
 * @param protocols what is offered over TLS, the one wanted most first (ALPN)
 */
export function createSocketOpener(
  origin: string,
  tls: ResolvedTls | undefined,
  guard: AddressGuard | undefined,
  protocols: readonly string[] = ["http/1.1"],
): OpenSocket {
  const url = new URL(origin);
  const isSecure = url.protocol === "https:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port) || (isSecure ? 443 : 80);
  const options = {
    host,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: PROBE_AFTER_MS,
    ...(guard === undefined ? {} : { lookup: createGuardedLookup(guard, port) }),
  };
  const refuse = (): void => {
    const refusal = guard && findRefusalOfLiteral(guard, host, port);
    if (refusal !== undefined) throw refuseAddress(refusal);
  };
  if (!isSecure) {
    return (onread) => {
      refuse();
      return connectTcp(onread === undefined ? options : { ...options, onread });
    };
  }

  const servername = tls?.serverName ?? (isIP(host) === 0 ? host : undefined);
  const secure = {
    ...options,
    ALPNProtocols: [...protocols],
    ...(servername === undefined ? {} : { servername }),
    ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls?.key === undefined ? {} : { key: tls.key }),
  };
  let session: Buffer | undefined;
  return (onread) => {
    refuse();
    const read = onread === undefined ? {} : { onread };
    const socket = connectTls({
      ...secure,
      ...read,
      ...(session === undefined ? {} : { session }),
    } as ConnectionOptions);
    socket.on("session", (ticket: Buffer) => {
      session = ticket;
    });
    return socket;
  };
}

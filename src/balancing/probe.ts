import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import { type AddressGuard, createGuardedLookup, findRefusalOfLiteral } from "../core/address-guard.ts";
import type { Member } from "./member.ts";

/** Asks an instance how it is, beside the traffic: on a connection of its own, so that a full pool does not look like illness. */
export interface Prober {
  /** Resolves true when it accepts a connection. Never rejects. */
  canConnect(member: Member, timeoutMs: number): Promise<boolean>;
  /** Resolves with the status of GET path, 0 when there is none. Never rejects. */
  statusOf(member: Member, path: string, timeoutMs: number): Promise<number>;
}

/** What a check over https needs to know, as the traffic itself does. */
export interface ProbeTls {
  readonly serverName?: string | undefined;
  readonly ca?: Buffer | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

/** @param guard asked before each connection: a check reaches no address that traffic may not */
export const createNetworkProber = (tls: ProbeTls = {}, guard?: AddressGuard): Prober => ({
  canConnect(member, timeoutMs) {
    const place = placeOf(member, guard);
    if (place.isRefused) return Promise.resolve(false);
    return new Promise((resolve) => {
      const { host, port, lookup } = place;
      const socket = connect({ host, port, timeout: timeoutMs, ...lookup });
      const end = (isOpen: boolean): void => {
        socket.destroy();
        resolve(isOpen);
      };
      socket.once("connect", () => end(true));
      socket.once("timeout", () => end(false));
      socket.once("error", () => end(false));
    });
  },

  statusOf(member, path, timeoutMs) {
    const place = placeOf(member, guard);
    if (place.isRefused) return Promise.resolve(0);
    const url = member.origin + member.basePath + path;
    const send = url.startsWith("https:") ? httpsRequest : httpRequest;
    return new Promise((resolve) => {
      const request = send(url, {
        agent: false,
        headers: { "user-agent": "portico-check", connection: "close" },
        ...place.lookup,
        ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
        ca: tls.ca,
        cert: tls.cert,
        key: tls.key,
      });
      const timer = setTimeout(() => request.destroy(), timeoutMs);
      const end = (status: number): void => {
        clearTimeout(timer);
        request.destroy();
        resolve(status);
      };
      request.once("response", (response) => end(response.statusCode ?? 0));
      request.once("error", () => end(0));
      request.once("close", () => end(0));
      request.end();
    });
  },
});

function placeOf(member: Member, guard: AddressGuard | undefined) {
  const { hostname, port: written, protocol } = new URL(member.origin);
  const host = hostname.replace(/^\[|\]$/g, "");
  const port = Number(written) || (protocol === "https:" ? 443 : 80);
  return {
    host,
    port,
    isRefused: guard !== undefined && findRefusalOfLiteral(guard, host, port) !== undefined,
    lookup: guard === undefined ? {} : { lookup: createGuardedLookup(guard, port) },
  };
}

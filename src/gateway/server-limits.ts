import type { Server, ServerOptions } from "node:http";
import type { Socket } from "node:net";
import type { LimitOptions } from "../config/listen-options.ts";
import { GatewayError } from "../core/errors.ts";
import { parseBytes } from "../core/units.ts";
import { ConnectionCaps } from "./connection-caps.ts";
import { endWith } from "./parse-error.ts";

export const DEFAULT_MAX_HEADERS = 100;

/** How often Node looks for headers and requests that are late: at those alone, so it costs nothing. */
const CHECK_EVERY_MS = 250;

export const toHeaderBytes = (limits: LimitOptions): number => parseBytes(limits.headerBytes ?? "32KiB");

/** What a server of `node:http` is made with, to be held to the limits of every port that clients reach. */
export function toServerOptions(limits: LimitOptions) {
  return {
    maxHeaderSize: toHeaderBytes(limits),
    connectionsCheckingInterval: CHECK_EVERY_MS,
    // Host is judged with everything else, and answered with a problem document.
    requireHostHeader: false,
  } satisfies ServerOptions;
}

/** Holds a server to how long headers and requests may take, how many fields they have, and how many connections there are. */
export function holdToLimits(server: Server, limits: LimitOptions): void {
  server.headersTimeout = (limits.headerSeconds ?? 10) * 1000;
  server.requestTimeout = (limits.requestSeconds ?? 300) * 1000;
  // Node drops silently what is above: one more than allowed shows that there were too many.
  server.maxHeadersCount = (limits.headers ?? DEFAULT_MAX_HEADERS) + 1;
  const caps = new ConnectionCaps({
    total: limits.connections ?? 65_536,
    perAddress: limits.connectionsPerAddress ?? Number.POSITIVE_INFINITY,
  });
  server.on("connection", (socket: Socket) => {
    if (!caps.admit(socket)) endWith(tooMany(), socket, "connection");
  });
}

const tooMany = (): GatewayError =>
  new GatewayError("OVERLOADED", "too many connections", { headers: { "Retry-After": "1" } });

import type { ServerResponse } from "node:http";
import type { Exchange } from "../core/exchange.ts";
import type { Connection, Served } from "./connection.ts";
import type { ReadExchange } from "./create-exchange.ts";
import type { Generation } from "./generation.ts";
import { isHttp2 } from "./http2.ts";
import { LaneRequest } from "./lane/lane-request.ts";

/** Calls on what stands behind the gateway in an Express app. */
export type NextMiddleware = (error?: unknown) => void;

/** What a request needs to be answered and finished: one object each, found from its response or its lane. */
export class Serving {
  readonly connection: Connection;
  readonly exchange: Exchange;
  readonly generation: Generation;
  readonly node: Served | LaneRequest;
  readonly next: NextMiddleware | undefined;
  status = 0;
  hasLeft = false;

  constructor(
    connection: Connection,
    exchange: Exchange,
    generation: Generation,
    node: Served | LaneRequest,
    next: NextMiddleware | undefined,
  ) {
    this.connection = connection;
    this.exchange = exchange;
    this.generation = generation;
    this.node = node;
    this.next = next;
  }
}

export const SERVING = Symbol("serving");
export type KnownResponse = ServerResponse & { [SERVING]?: Serving | undefined };

/** A body of known length that is left of a request may be read to its end up to this; else the connection closes. */
const DRAIN_BYTES = 65_536;

/**
 * True when bytes of the body are still to come and nobody will take them for what they are: the connection must not
 * be used again. What is small and of known length is read to its end instead. ATTACKS 4, 5.
 */
export function isLeftUnread(node: Serving["node"], read: ReadExchange): boolean {
  if (read.bodyBytes === 0 || node.incoming.complete) return false;
  return read.bodyBytes < 0 || read.bodyBytes > DRAIN_BYTES;
}

export const isOfHttp2 = (node: Serving["node"]): boolean => !(node instanceof LaneRequest) && isHttp2(node.incoming);

export const hasAnswered = (node: Serving["node"]): boolean =>
  node instanceof LaneRequest ? node.hasAnswered : node.outgoing.headersSent || node.outgoing.destroyed;

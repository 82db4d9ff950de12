import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { type TrustedProxies, toPeer } from "./client-address.ts";

const CONNECTION = Symbol("connection");
type KnownSocket = Socket & { [CONNECTION]?: Connection };

/** More requests than that wait on one connection only for an attacker. */
const MAX_WAITING = 1_000;
/** How long the rest of a request is read and thrown away, so that the answer is not overtaken by a reset. */
const LINGER_MS = 1_000;

/** A request and its answer, as `node:http` knows them. */
export interface Served {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

/** What a client is to do next: send more of its body, read more of its answer, or ask for something. */
export type WaitsFor = "body" | "reader" | "request";

/** What is known of one client's connection: looked up once, not for each request. */
export class Connection {
  readonly socket: Socket;
  readonly peer: string;
  readonly isTrusted: boolean;
  readonly scheme: "http" | "https";
  readonly isHttp2: boolean;
  /** Of HTTP/1: the request that is being answered. The next one waits, so that answers keep their order. */
  current: Served | undefined = undefined;
  /** A request that came whole is being answered. */
  isInLane = false;
  /** There was the whole head of a request. */
  hasAsked = false;
  /** No further request is taken: its bytes may belong to a body that was not read. */
  isClosing = false;
  private waiting: Served[] | undefined = undefined;

  constructor(socket: Socket, trusted: TrustedProxies) {
    this.socket = socket;
    this.peer = toPeer(socket.remoteAddress);
    this.isTrusted = trusted.has(this.peer);
    this.scheme = (socket as TLSSocket).encrypted ? "https" : "http";
    this.isHttp2 = (socket as TLSSocket).alpnProtocol === "h2";
  }

  static find(socket: Socket): Connection | undefined {
    return (socket as KnownSocket)[CONNECTION];
  }

  static of(socket: Socket, trusted: TrustedProxies): Connection {
    const known = socket as KnownSocket;
    known[CONNECTION] ??= new Connection(socket, trusted);
    return known[CONNECTION];
  }

  /** The client's next move over HTTP/1; undefined when the move is not the client's. */
  get waitsFor(): WaitsFor | undefined {
    if (this.isHttp2) return undefined;
    if (this.socket.writableLength > 0) return "reader";
    if (this.isInLane) return undefined;
    if (this.current === undefined) return "request";
    const { incoming } = this.current;
    if (incoming.complete || incoming.readableLength > 0) return undefined;
    return incoming.readableFlowing === true ? "body" : undefined;
  }

  get hasAnswered(): boolean {
    return this.current?.outgoing.headersSent === true;
  }

  /** A pipelined request waits for its turn: one at a time, so that a client cannot multiply its work by pipelining. */
  enqueue(served: Served): void {
    this.waiting ??= [];
    if (this.waiting.push(served) > MAX_WAITING) this.socket.destroy();
  }

  next(): Served | undefined {
    // To who has gone, or was told goodbye, nothing is sent, and Node would tell no end of it: it would count as under way for ever.
    const { socket } = this;
    return this.isClosing || socket.destroyed || socket.writableEnded ? undefined : this.waiting?.shift();
  }

  /**
   * Ends the connection with the answer that is being written, without a reset that could overtake it: bytes that
   * still arrive are read for a moment and thrown away.
   */
  closeAfterAnswer(): void {
    this.isClosing = true;
    this.waiting = undefined;
    this.socket.destroySoon = linger;
  }
}

/** True once an answer is told to be the last of its connection: Node keeps in `_last` what it has written in `Connection`. */
export const isLast = (outgoing: ServerResponse & { readonly _last?: boolean }): boolean =>
  outgoing.shouldKeepAlive === false || outgoing._last === true;

function linger(this: Socket): void {
  this.end();
  this.resume();
  const timer = setTimeout(() => this.destroy(), LINGER_MS);
  timer.unref();
  this.once("close", () => clearTimeout(timer));
}

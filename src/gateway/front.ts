import { randomBytes } from "node:crypto";
import { type IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { channels } from "../core/channels.ts";
import { GatewayError } from "../core/errors.ts";
import type { Exchange, GatewayResponse } from "../core/exchange.ts";
import type { Logger } from "../pipeline/contract.ts";
import { toAnswer } from "./answer-errors.ts";
import type { TrustedProxies } from "./client-address.ts";
import { Connection, type Served } from "./connection.ts";
import { createExchange, type ReadExchange } from "./create-exchange.ts";
import { Generation } from "./generation.ts";
import { dispatch, type Fallback, optionsAnswer } from "./handle.ts";
import { isHttp2 } from "./http2.ts";
import type { Overload } from "./overload.ts";
import type { UnderWay } from "./parse-error.ts";
import { send } from "./send.ts";
import type { Snapshot } from "./snapshot.ts";

export interface FrontOptions {
  readonly trusted: TrustedProxies;
  /** This gateway's name in `Via`. */
  readonly pseudonym: string;
  readonly maxHeaders: number;
  readonly maxBodyBytes: number;
  readonly overload: Overload;
  readonly fallback: Fallback | undefined;
  readonly log: Logger;
}

/** Calls on what stands behind the gateway in an Express app. */
export type NextMiddleware = (error?: unknown) => void;

/** What a request needs to be finished: one object each, found from its response. */
class Serving {
  readonly connection: Connection;
  readonly exchange: Exchange;
  readonly generation: Generation;
  readonly next: NextMiddleware | undefined;
  status = 0;

  constructor(connection: Connection, exchange: Exchange, generation: Generation, next: NextMiddleware | undefined) {
    this.connection = connection;
    this.exchange = exchange;
    this.generation = generation;
    this.next = next;
  }
}

const SERVING = Symbol("serving");
type KnownResponse = ServerResponse & { [SERVING]?: Serving | undefined };

/** A body of known length that is left of a request may be read to its end up to this; else the connection closes. */
const DRAIN_BYTES = 65_536;

/** Takes requests from sockets, one at a time on each HTTP/1 connection, and sees each of them to its end. */
export class Front {
  private readonly options: FrontOptions;
  private readonly idPrefix = randomBytes(6).toString("base64url");
  private readonly onClose: (this: ServerResponse) => void;
  private generation: Generation;
  private count = 0;
  private isEnding = false;

  constructor(snapshot: Snapshot, options: FrontOptions) {
    this.generation = new Generation(snapshot);
    this.options = options;
    const front = this;
    this.onClose = function onClose() {
      front.finish(this);
    };
  }

  get snapshot(): Snapshot {
    return this.generation.snapshot;
  }

  /** New requests go to `snapshot`. @returns once the old one is drained and closed */
  replace(snapshot: Snapshot): Promise<void> {
    const old = this.generation;
    this.generation = new Generation(snapshot);
    return old.retire();
  }

  /** From now on each answer is the last of its connection. */
  end(): void {
    this.isEnding = true;
  }

  /** @returns once nothing uses the last snapshot and it is closed */
  close(): Promise<void> {
    this.options.overload.close();
    return this.generation.retire();
  }

  readonly handle = (incoming: IncomingMessage, outgoing: ServerResponse, next?: NextMiddleware): void => {
    const connection = Connection.of(incoming.socket, this.options.trusted);
    if (!isHttp2(incoming)) {
      if (connection.isClosing) return;
      const served: Served = [incoming, outgoing];
      if (connection.current !== undefined) {
        connection.enqueue(served);
        return;
      }
      connection.current = served;
    }
    this.serve(connection, incoming, outgoing, next);
  };

  /** Of a request, or of one that the parser refused: stands in its problem document and in the log. */
  nextId(): string {
    return `${this.idPrefix}${(this.count++).toString(36)}`;
  }

  /** The connection's bytes make no sense any more: nothing further is read from it. @returns what is under way on it */
  breakOff(socket: Socket): UnderWay {
    const connection = Connection.find(socket);
    const current = connection?.current;
    if (connection === undefined || current === undefined) return "unanswered";
    const [incoming, outgoing] = current;
    connection.closeAfterAnswer();
    if (incoming.complete) {
      outgoing.shouldKeepAlive = false;
      return "answering";
    }
    (outgoing as KnownResponse)[SERVING]?.exchange.abort();
    return outgoing.headersSent ? "begun" : "unanswered";
  }

  /** True while an answer is being made or written on the connection. */
  isAnswering(socket: Socket): boolean {
    return Connection.find(socket)?.current !== undefined;
  }

  hasAnswered(socket: Socket): boolean {
    return Connection.find(socket)?.current?.[1].headersSent === true;
  }

  /** Whether the next move is the client's: to send more of its body, or to read more of its answer. */
  waitsFor(socket: Socket): "body" | "reader" | undefined {
    if (socket.writableLength > 0) return "reader";
    const incoming = Connection.find(socket)?.current?.[0];
    if (incoming === undefined || incoming.complete || incoming.readableLength > 0) return undefined;
    return incoming.readableFlowing === true ? "body" : undefined;
  }

  /** HTTP that asks to become another protocol. What is not taken up goes on as the plain request that it also is. */
  readonly handleUpgrade = (incoming: IncomingMessage, socket: Socket, _head: Buffer): void => {
    if (this.isAnswering(socket)) {
      socket.destroy();
      return;
    }
    const outgoing = new ServerResponse(incoming);
    outgoing.shouldKeepAlive = false;
    outgoing.assignSocket(socket);
    outgoing.once("finish", () => socket.destroySoon());
    this.handle(incoming, outgoing);
  };

  private serve(
    connection: Connection,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    next: NextMiddleware | undefined,
  ): void {
    const { generation, options } = this;
    const read = createExchange(incoming, outgoing, this.nextId(), connection, options);
    const { exchange } = read;
    const serving = new Serving(connection, exchange, generation, next);
    (outgoing as KnownResponse)[SERVING] = serving;
    generation.enter();
    options.overload.enter();
    outgoing.on("close", this.onClose);
    if (channels.exchangeStart.hasSubscribers) channels.exchangeStart.publish(exchange);
    this.run(serving, read).catch((error: unknown) => {
      options.log.error({ err: error }, "an exchange failed after its answer began");
      outgoing.destroy();
    });
  }

  private async run(serving: Serving, read: ReadExchange): Promise<void> {
    const { exchange, next } = serving;
    let response: GatewayResponse;
    try {
      if (read.refusal !== undefined) throw read.refusal;
      if (this.options.overload.isShedding()) throw overloaded();
      response = read.isServerWide ? optionsAnswer([]) : await dispatch(serving.generation.snapshot, exchange);
    } catch (error) {
      if (error instanceof GatewayError && read.refusal === undefined) {
        if (error.code === "OPERATION_UNKNOWN" && this.options.fallback?.(exchange) === true) return;
        if (next !== undefined && (error.code === "OPERATION_UNKNOWN" || error.code === "METHOD_NOT_ALLOWED")) {
          next();
          return;
        }
      }
      response = toAnswer(error, exchange);
    }
    this.answer(serving, read, response);
  }

  private answer(serving: Serving, read: ReadExchange, response: GatewayResponse): void {
    const { exchange, connection, next } = serving;
    serving.status = response.status;
    if (!isHttp2(exchange.incoming as IncomingMessage)) {
      const mustClose = read.mustClose || this.isEnding || isLeftUnread(exchange.incoming as IncomingMessage, read);
      if (mustClose) {
        response.headers.set("Connection", "close");
        connection.closeAfterAnswer();
      }
    }
    try {
      send(exchange, response, next !== undefined);
    } catch (cause) {
      // An upstream's field that Node refuses to write: a control character, most likely a try to split the answer.
      const error = new GatewayError("UPSTREAM_MALFORMED", "the answer has a field that cannot be sent", { cause });
      const problem = toAnswer(error, exchange);
      serving.status = problem.status;
      send(exchange, problem, next !== undefined);
    }
  }

  /** After the answer, or when the client has gone. */
  private finish(outgoing: KnownResponse): void {
    const serving = outgoing[SERVING];
    if (serving === undefined) return;
    outgoing[SERVING] = undefined;
    const { connection, exchange, generation } = serving;
    if (!outgoing.writableFinished) exchange.abort();
    generation.leave();
    this.options.overload.leave();
    if (channels.exchangeEnd.hasSubscribers) {
      const durationMs = performance.now() - exchange.startedAtMs;
      channels.exchangeEnd.publish({ exchange, status: serving.status || outgoing.statusCode, durationMs });
    }
    connection.current = undefined;
    const waiting = connection.next();
    if (waiting !== undefined) this.handle(...waiting);
  }
}

/**
 * True when bytes of the body are still to come and nobody will take them for what they are: the connection must not
 * be used again. What is small and of known length is read to its end instead. ATTACKS 4, 5.
 */
function isLeftUnread(incoming: IncomingMessage, read: ReadExchange): boolean {
  if (read.bodyBytes === 0 || incoming.complete) return false;
  return read.bodyBytes < 0 || read.bodyBytes > DRAIN_BYTES;
}

const overloaded = (): GatewayError =>
  new GatewayError("OVERLOADED", "more requests are in work than the gateway can take; try again", {
    headers: { "Retry-After": "1" },
  });

import { randomBytes } from "node:crypto";
import { type IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { channels } from "../core/channels.ts";
import { GatewayError } from "../core/errors.ts";
import type { GatewayResponse } from "../core/exchange.ts";
import { TUNNEL, WEBSOCKET } from "../forwarding/websocket.ts";
import type { Logger } from "../pipeline/contract.ts";
import { answerBroken, toAnswer } from "./answer-errors.ts";
import type { TrustedProxies } from "./client-address.ts";
import { Connection, isLast, type Served } from "./connection.ts";
import { createExchange, type ReadExchange, toExchange } from "./create-exchange.ts";
import { Generation } from "./generation.ts";
import { dispatch, type Fallback, optionsAnswer } from "./handle.ts";
import { isHttp2 } from "./http2.ts";
import { LaneRequest } from "./lane/lane-request.ts";
import type { Overload } from "./overload.ts";
import type { UnderWay } from "./parse-error.ts";
import { send } from "./send.ts";
import {
  hasAnswered,
  isLeftUnread,
  isOfHttp2,
  type KnownResponse,
  type NextMiddleware,
  SERVING,
  Serving,
} from "./serving.ts";
import type { Snapshot } from "./snapshot.ts";
import { Tunnels } from "./tunnels.ts";

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

/** Takes requests from sockets, one at a time on each HTTP/1 connection, and sees each of them to its end. */
export class Front {
  readonly options: FrontOptions;
  private readonly idPrefix = randomBytes(6).toString("base64url");
  private readonly tunnels = new Tunnels();
  private readonly onClose: (this: ServerResponse) => void;
  private generation: Generation;
  private count = 0;
  private isEnding = false;

  constructor(snapshot: Snapshot, options: FrontOptions) {
    this.generation = new Generation(snapshot);
    this.options = options;
    const front = this;
    this.onClose = function onClose(this: KnownResponse) {
      const serving = this[SERVING];
      this[SERVING] = undefined;
      if (serving === undefined) return;
      front.finish(serving, this.writableFinished);
      const { connection } = serving;
      connection.current = undefined;
      const waiting = connection.next();
      if (waiting !== undefined) front.handle(waiting.incoming, waiting.outgoing);
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
    this.tunnels.end();
  }

  /** @returns once nothing uses the last snapshot and it is closed */
  close(): Promise<void> {
    this.options.overload.close();
    return this.generation.retire();
  }

  readonly handle = (incoming: IncomingMessage, outgoing: ServerResponse, next?: NextMiddleware): void => {
    const connection = Connection.of(incoming.socket, this.options.trusted);
    const served: Served = { incoming, outgoing };
    if (!isHttp2(incoming)) {
      if (connection.isClosing) return;
      if (connection.current !== undefined) {
        connection.enqueue(served);
        return;
      }
      connection.current = served;
    }
    this.serve(connection, served, next);
  };

  /** One of a lane: nothing of it is left to be read, and nothing to be refused. */
  serveWhole(request: LaneRequest): void {
    const { body, lane, whole } = request;
    const { method, rawTarget, target, head, keepsAlive } = whole;
    const { connection } = lane;
    const parts = { id: this.nextId(), node: request, method, rawTarget, target, httpVersion: "1.1", head, body };
    const exchange = toExchange(parts, connection, this.options);
    const serving = new Serving(connection, exchange, this.generation, request, undefined);
    request.serving = serving;
    this.begin(serving, {
      exchange,
      refusal: undefined,
      mustClose: !keepsAlive,
      bodyBytes: 0,
      isServerWide: false,
      upgrade: undefined,
    });
  }

  finishWhole({ serving }: LaneRequest, isWhole: boolean): void {
    if (serving !== undefined) this.finish(serving, isWhole);
  }

  /** Of a request, or of one that the parser refused: stands in its problem document and in the log. */
  nextId(): string {
    return `${this.idPrefix}${(this.count++).toString(36)}`;
  }

  /** The connection's bytes make no sense any more: nothing further is read from it. @returns what is under way on it */
  breakOff(socket: Socket): UnderWay {
    const connection = Connection.find(socket);
    const current = connection?.current;
    if (connection === undefined || current === undefined) return "head";
    const { incoming, outgoing } = current;
    connection.closeAfterAnswer();
    if (incoming.complete) {
      outgoing.shouldKeepAlive = false;
      return "answering";
    }
    (outgoing as KnownResponse)[SERVING]?.exchange.abort();
    return outgoing.headersSent ? "begun" : "body";
  }

  /** HTTP that asks to become another protocol. What is not taken up goes on as the plain request that it also is. */
  readonly handleUpgrade = (incoming: IncomingMessage, socket: Socket, head: Buffer): void => {
    const connection = Connection.of(socket, this.options.trusted);
    if (connection.current !== undefined) {
      socket.destroy();
      return;
    }
    const outgoing = new ServerResponse(incoming);
    outgoing.shouldKeepAlive = false;
    outgoing.assignSocket(socket);
    outgoing.once("finish", () => socket.destroySoon());
    socket.on("error", () => socket.destroy());
    const served: Served = { incoming, outgoing };
    connection.current = served;
    this.serve(connection, served, undefined, head);
  };

  private serve(connection: Connection, served: Served, next: NextMiddleware | undefined, head?: Buffer): void {
    const { incoming, outgoing } = served;
    connection.hasAsked = true;
    const read = createExchange(served, this.nextId(), connection, this.options, head !== undefined);
    const { exchange } = read;
    if (head !== undefined && read.upgrade === "websocket" && read.refusal === undefined) {
      exchange.set(WEBSOCKET, { socket: incoming.socket, head });
    }
    const serving = new Serving(connection, exchange, this.generation, served, next);
    (outgoing as KnownResponse)[SERVING] = serving;
    outgoing.on("close", this.onClose);
    this.begin(serving, read);
  }

  private begin(serving: Serving, read: ReadExchange): void {
    const { exchange, generation, connection, node } = serving;
    const { id } = exchange;
    generation.enter();
    this.options.overload.enter();
    if (channels.exchangeStart.hasSubscribers) channels.exchangeStart.publish(exchange);
    this.run(serving, read).catch((error: unknown) => {
      const { log } = this.options;
      if (hasAnswered(node)) {
        log.error({ err: error }, "an exchange failed after its answer began");
        node.outgoing.destroy();
        return;
      }
      log.error({ err: error }, "an exchange failed so that it cannot be answered the usual way");
      connection.closeAfterAnswer();
      serving.status = answerBroken(node.incoming, node.outgoing, id);
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
        const isUnknown = error.code === "OPERATION_UNKNOWN" || error.code === "HOST_UNKNOWN";
        if (isUnknown && this.options.fallback?.(exchange) === true) return;
        if (next !== undefined && (isUnknown || error.code === "METHOD_NOT_ALLOWED")) {
          next();
          return;
        }
      }
      response = toAnswer(error, exchange);
    }
    this.answer(serving, read, response);
  }

  private answer(serving: Serving, read: ReadExchange, given: GatewayResponse): void {
    const { exchange, connection, node } = serving;
    const isNoTunnel = given.status === 101 && exchange.get(TUNNEL) === undefined;
    const response = isNoTunnel ? toAnswer(noTunnel(), exchange) : given;
    serving.status = response.status;
    if (response.status === 101) {
      // It outlives a reload, and the plugins that let it in have done their part.
      if (this.tunnels.start(exchange.get(TUNNEL), connection.socket, response)) this.leave(serving);
      return;
    }
    if (!isOfHttp2(node)) {
      const mustClose = read.mustClose || this.isEnding || isLeftUnread(node, read);
      if (mustClose) {
        response.headers.set("Connection", "close");
        connection.closeAfterAnswer();
      }
    }
    try {
      this.send(serving, response);
    } catch (cause) {
      // Begun and not finished: a second answer would be taken for a part of the first.
      if (hasAnswered(node)) throw cause;
      // An upstream's field that Node refuses to write: a control character, most likely a try to split the answer.
      // Or, where there is an error already, what a plugin would have its refusal say.
      const code = exchange.errorCode === undefined ? "UPSTREAM_MALFORMED" : "PLUGIN_FAILED";
      const error = new GatewayError(code, "the answer has a field that cannot be sent", { cause });
      const problem = toAnswer(error, exchange);
      serving.status = problem.status;
      this.send(serving, problem);
    }
  }

  private send({ node, exchange, connection, next }: Serving, response: GatewayResponse): void {
    if (node instanceof LaneRequest && node.send(response)) return;
    const { outgoing } = node;
    send(outgoing, exchange, response, next !== undefined);
    // Node ends the connection for reasons of its own, such as a 100 that was not said, or an answer to HTTP/1.0 whose length
    // nobody knows: what was sent meanwhile is no request.
    if (isLast(outgoing) && !connection.isClosing) connection.closeAfterAnswer();
  }

  private leave(serving: Serving): void {
    if (serving.hasLeft) return;
    serving.hasLeft = true;
    serving.generation.leave();
    this.options.overload.leave();
  }

  /** After the answer, or when the client has gone. */
  private finish(serving: Serving, isWhole: boolean): void {
    const { exchange, node } = serving;
    this.leave(serving);
    if (!isWhole) exchange.abort();
    if (!channels.exchangeEnd.hasSubscribers) return;
    const durationMs = performance.now() - exchange.startedAtMs;
    channels.exchangeEnd.publish({ exchange, status: serving.status || node.outgoing.statusCode, durationMs });
  }
}

const noTunnel = (): GatewayError =>
  new GatewayError("PLUGIN_FAILED", "a plugin answered 101, and nothing stands behind it");

const overloaded = (): GatewayError =>
  new GatewayError("OVERLOADED", "more requests are in work than the gateway can take; try again", {
    headers: { "Retry-After": "1" },
  });

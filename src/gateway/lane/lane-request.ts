import { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { isStream } from "../../core/body.ts";
import type { GatewayResponse, NodeObjects } from "../../core/exchange.ts";
import { findRest } from "../joined-body.ts";
import { frame, tellLength } from "../send.ts";
import { findPrepared } from "../send-prepared.ts";
import type { Serving } from "../serving.ts";
import type { Lane } from "./lane.ts";
import type { WholeRequest } from "./whole-request.ts";
import { type WholeAnswer, writeAnswer } from "./write-answer.ts";

/** What of Node's own classes is not public. */
interface IncomingInternals {
  _addHeaderLines(flat: readonly string[], length: number): void;
}

/**
 * One request of a lane. Node's own objects are made for who asks for them: Express middleware, and answers that are
 * streams or out of the ordinary.
 */
export class LaneRequest implements NodeObjects {
  readonly lane: Lane;
  readonly whole: WholeRequest;
  readonly body: Buffer | null;
  serving: Serving | undefined = undefined;
  private hasWritten = false;
  private madeIncoming: IncomingMessage | undefined = undefined;
  private madeOutgoing: ServerResponse | undefined = undefined;

  constructor(lane: Lane, whole: WholeRequest, body: Buffer | null) {
    this.lane = lane;
    this.whole = whole;
    this.body = body;
  }

  get incoming(): IncomingMessage {
    this.madeIncoming ??= toIncoming(this.lane.socket, this.whole, this.body);
    return this.madeIncoming;
  }

  get outgoing(): ServerResponse {
    this.madeOutgoing ??= this.lane.lend(new ServerResponse(this.incoming));
    return this.madeOutgoing;
  }

  /** Node's own answer, where somebody has asked for it. */
  get lent(): ServerResponse | undefined {
    return this.madeOutgoing;
  }

  get hasAnswered(): boolean {
    return this.hasWritten || this.madeOutgoing?.headersSent === true;
  }

  /** @returns false for an answer that Node's own has to carry */
  send(response: GatewayResponse): boolean {
    const { lane, madeOutgoing } = this;
    const { body } = response;
    if (lane.socket.destroyed || this.hasWritten) {
      if (isStream(body)) body.destroy();
      return true;
    }
    if (madeOutgoing !== undefined || isStream(body)) return false;
    frame(response);
    const { keepAliveMs, keepAliveLines, date } = lane.owner;
    const isLast = lane.connection.isClosing;
    const prepared = isLast ? undefined : findPrepared(response, keepAliveMs);
    if (prepared !== undefined) {
      this.write(prepared, findRest(body));
      return true;
    }
    const { headers } = response;
    if (body !== null) tellLength(headers, body);
    if (headers.has("trailer")) headers.delete("trailer");
    const keepAlive = isLast ? undefined : keepAliveLines;
    const written = writeAnswer(this.whole.method, response as WholeAnswer, keepAlive, date);
    if (written === undefined) return false;
    this.write(written.text, written.rest);
    return true;
  }

  private write(text: string, rest: Buffer | undefined): void {
    this.hasWritten = true;
    this.lane.write(text, rest);
  }
}

function toIncoming(
  socket: Socket,
  { method, rawTarget, rawHeaders }: WholeRequest,
  body: Buffer | null,
): IncomingMessage {
  const incoming = new IncomingMessage(socket);
  incoming.httpVersion = "1.1";
  incoming.httpVersionMajor = 1;
  incoming.httpVersionMinor = 1;
  incoming.method = method;
  incoming.url = rawTarget;
  (incoming as unknown as IncomingInternals)._addHeaderLines(rawHeaders, rawHeaders.length);
  incoming.complete = true;
  if (body !== null) incoming.push(body);
  incoming.push(null);
  return incoming;
}

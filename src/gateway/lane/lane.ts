import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Connection } from "../connection.ts";
import type { DateField } from "./date-field.ts";
import { LaneRequest } from "./lane-request.ts";
import { Rest } from "./rest.ts";
import { readWholeRequest, type WholeRequest, type WholeRules } from "./whole-request.ts";

/** What serves the requests of all lanes. */
export interface LaneFront {
  serveWhole(request: LaneRequest): void;
  /** @param isWhole all of the answer has left; else its client went away before that */
  finishWhole(request: LaneRequest, isWhole: boolean): void;
}

/** What the lanes of a server share. */
export interface LaneOwner {
  readonly front: LaneFront;
  readonly keepAliveMs: number;
  /** What tells a client how long its connection stays. */
  readonly keepAliveLines: string;
  readonly date: DateField;
  /** From here on the connection is Node's. */
  handOver(lane: Lane): void;
  forget(lane: Lane): void;
}

/** Of what a client sends before it has its answer; above that nothing is read from it. */
const MAX_PENDING_BYTES = 65_536;

/** How long the rest of a short body is waited for. */
const REST_MS = 10;

/**
 * One connection of HTTP/1.1 whose requests come whole, or nearly so, and whose answers leave in one write: nearly all of
 * them, at half of what `node:http` costs. With the first that does not, the connection is given to `node:http` for good, its
 * bytes unread: what is slow, unusual or hostile has one reader only, and a lane has nothing to refuse.
 */
export class Lane {
  readonly socket: Socket;
  readonly connection: Connection;
  readonly owner: LaneOwner;
  private readonly rules: WholeRules;
  private current: LaneRequest | undefined = undefined;
  private pending: Buffer | undefined = undefined;
  /** A request whose body is not all there. */
  private rest: Rest | undefined = undefined;
  private timer: NodeJS.Timeout | undefined = undefined;

  constructor(connection: Connection, owner: LaneOwner, rules: WholeRules) {
    this.connection = connection;
    this.socket = connection.socket;
    this.owner = owner;
    this.rules = rules;
    this.socket.on("data", this.onData);
    this.socket.on("end", this.onEnd);
    this.socket.on("error", this.onError);
    this.socket.on("close", this.onClose);
    this.socket.on("drain", this.onDrain);
  }

  get isIdle(): boolean {
    return this.current === undefined && this.rest === undefined;
  }

  /** Writes all of an answer. @param rest what is not in the text, and follows it */
  write(text: string, rest: Buffer | undefined): void {
    const { socket } = this;
    if (rest === undefined) {
      socket.write(text, "latin1", this.onWritten);
    } else {
      socket.cork();
      socket.write(text, "latin1");
      socket.write(rest, this.onWritten);
      socket.uncork();
    }
    if (this.connection.isClosing) socket.destroySoon();
  }

  /** Node's own answer to a request of this lane, for the time that it takes. */
  lend(outgoing: ServerResponse & { _keepAliveTimeout?: number }): ServerResponse {
    const { socket, connection } = this;
    outgoing._keepAliveTimeout = this.owner.keepAliveMs;
    outgoing.assignSocket(socket);
    outgoing.once("finish", () => {
      outgoing.detachSocket(socket);
      if (connection.isClosing) socket.destroySoon();
      this.onWritten();
      outgoing.destroyed = true;
      outgoing.emit("close");
    });
    return outgoing;
  }

  private readonly onData = (bytes: Buffer): void => {
    if (this.connection.isClosing || this.socket.writableEnded) return;
    const { pending, rest } = this;
    if (rest !== undefined) {
      if (rest.add(bytes)) this.serve(rest.request, rest.join());
      return;
    }
    const all = pending === undefined ? bytes : Buffer.concat([pending, bytes]);
    if (this.current === undefined) {
      this.read(all);
      return;
    }
    this.pending = all;
    if (all.length > MAX_PENDING_BYTES) this.socket.pause();
  };

  private read(bytes: Buffer): void {
    this.pending = undefined;
    const whole = readWholeRequest(bytes, this.rules);
    if (whole === undefined) {
      this.leave(bytes);
      return;
    }
    if (whole.end <= bytes.length) {
      this.serve(whole, bytes);
      return;
    }
    this.rest = new Rest(whole, bytes);
    if (this.timer === undefined) this.timer = setTimeout(this.onLate, REST_MS).unref();
    else this.timer.refresh();
  }

  /** @param bytes from the beginning of the request to at least its end */
  private serve(whole: WholeRequest, bytes: Buffer): void {
    this.rest = undefined;
    const { start, end } = whole;
    if (end < bytes.length) this.pending = bytes.subarray(end);
    const request = new LaneRequest(this, whole, start === end ? null : bytes.subarray(start, end));
    this.current = request;
    this.connection.isInLane = true;
    this.connection.hasAsked = true;
    this.owner.front.serveWhole(request);
  }

  private readonly onLate = (): void => {
    // Timers come before reads: what has come while the loop was busy is read first.
    if (this.rest !== undefined) setImmediate(this.leaveLate, this.rest);
  };

  /** The client takes its time, and may have an answer to its head alone. */
  private readonly leaveLate = (rest: Rest): void => {
    if (this.rest === rest && !this.socket.destroyed) this.leave(rest.join());
  };

  private leave(bytes: Buffer): void {
    const { socket } = this;
    this.detach();
    socket.pause();
    this.owner.handOver(this);
    // With this event Node begins to read. Bytes given to it earlier may stop that, and would be overruled by it: the rest of a
    // body that nobody reads yet would come into memory, all of it.
    socket.once("resume", () => socket.unshift(bytes));
    socket.resume();
  }

  /** It hears nothing of its connection any more. */
  private detach(): void {
    const { socket } = this;
    this.rest = undefined;
    clearTimeout(this.timer);
    socket.off("data", this.onData);
    socket.off("end", this.onEnd);
    socket.off("error", this.onError);
    socket.off("close", this.onClose);
    socket.off("drain", this.onDrain);
  }

  private readonly onWritten = (): void => {
    const { current, pending } = this;
    if (current === undefined || this.socket.destroyed) return;
    this.current = undefined;
    this.connection.isInLane = false;
    this.owner.front.finishWhole(current, true);
    if (pending === undefined || this.connection.isClosing) return;
    if (this.socket.isPaused()) this.socket.resume();
    this.read(pending);
  };

  private readonly onEnd = (): void => {
    const { socket, rest } = this;
    if (rest === undefined) {
      socket.end();
      return;
    }
    // What has ended takes nothing back: the bytes and their end are told again, to who judges them.
    const bytes = rest.join();
    this.detach();
    this.owner.handOver(this);
    socket.emit("data", bytes);
    socket.emit("end");
  };

  private readonly onError = (): void => {
    this.socket.destroy();
  };

  private readonly onDrain = (): void => {
    this.current?.lent?.emit("drain");
  };

  private readonly onClose = (): void => {
    const { current } = this;
    this.current = undefined;
    this.pending = undefined;
    this.rest = undefined;
    clearTimeout(this.timer);
    this.owner.forget(this);
    if (current !== undefined) this.owner.front.finishWhole(current, false);
  };
}

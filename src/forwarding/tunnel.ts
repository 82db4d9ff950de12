import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { CLOSE, closeFrame, FrameScanner } from "./websocket-frames.ts";

export interface TunnelLimits {
  readonly maxMessageBytes: number;
  readonly idleMs: number;
  /** How long it may stand at most; to the expiry of the caller's token where that is sooner. */
  readonly lifeMs: number;
}

/** How long a close frame may take to be answered before the sockets are cut. */
const CLOSE_GRACE_MS = 1_000;
/** `setTimeout` counts no further. */
const MAX_TIMER_MS = 2_147_483_647;

/**
 * The client's side of a WebSocket, as http-proxy sees it: a stream in front of the client's socket that follows the
 * frames of both directions. Nothing of the upstream reaches the client before {@link start}.
 */
export class Tunnel extends Duplex {
  private readonly socket: Socket;
  private readonly head: Buffer;
  private readonly limits: TunnelLimits;
  private readonly fromClient: FrameScanner;
  private readonly fromUpstream: FrameScanner;
  private upstream: Socket | undefined = undefined;
  private isStarted = false;
  private isJoined = false;
  private hasSkippedHead = false;
  private isClosing = false;
  private waiting: (() => void) | undefined = undefined;
  private idle: NodeJS.Timeout | undefined = undefined;
  private life: NodeJS.Timeout | undefined = undefined;

  /** @param head bytes of the client that came with its handshake */
  constructor(socket: Socket, head: Buffer, limits: TunnelLimits) {
    super();
    this.socket = socket;
    this.head = head;
    this.limits = limits;
    this.fromClient = new FrameScanner(true, limits.maxMessageBytes);
    this.fromUpstream = new FrameScanner(false, limits.maxMessageBytes);
    this.on("error", () => {});
  }

  /** The upstream has switched protocols. @param hasExtension and agreed on what more its frames may say */
  attach(upstream: Socket, hasExtension: boolean): void {
    this.upstream = upstream;
    if (hasExtension) {
      this.fromClient.allowReservedBits();
      this.fromUpstream.allowReservedBits();
    }
    upstream.on("close", () => this.destroy());
  }

  /** The client has been told so, too: now frames flow. */
  start(): void {
    this.isStarted = true;
    const { socket, limits } = this;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.receive(chunk));
    socket.on("end", () => (this.isJoined ? this.upstream?.end() : this.push(null)));
    socket.on("error", () => this.destroy());
    socket.on("close", () => this.destroy());
    this.idle = setTimeout(() => this.close(CLOSE.goingAway), limits.idleMs);
    this.life = setTimeout(() => this.close(CLOSE.policy), Math.min(limits.lifeMs, MAX_TIMER_MS));
    this.idle.unref();
    this.life.unref();
    const { waiting } = this;
    this.waiting = undefined;
    if (waiting === undefined && this.writableLength === 0) this.joinSockets();
    else waiting?.();
    if (this.head.length > 0) this.receive(this.head);
  }

  /**
   * From now on the two sockets feed each other, and http-proxy's pipes through this stream are taken apart: they cost
   * a message half as much again. Not where the upstream has spoken early, as what waits here would be overtaken.
   */
  private joinSockets(): void {
    const { socket, upstream } = this;
    if (upstream === undefined) return;
    upstream.unpipe(this);
    this.unpipe(upstream);
    this.isJoined = true;
    upstream.on("data", (chunk: Buffer) => {
      if (this.isClosing) return;
      this.idle?.refresh();
      const code = this.fromUpstream.scan(chunk);
      if (code !== 0) this.close(code);
      else if (!socket.write(chunk)) upstream.pause();
    });
    upstream.on("end", () => socket.end());
    upstream.on("drain", () => socket.resume());
    socket.on("drain", () => upstream.resume());
    upstream.resume();
  }

  private passToUpstream(chunk: Buffer): boolean {
    return this.isJoined && this.upstream !== undefined ? this.upstream.write(chunk) : this.push(chunk);
  }

  /** Ends both sides, with a close frame wherever one may stand. */
  close(code: number): void {
    if (this.isClosing || this.destroyed) return;
    this.isClosing = true;
    if (this.fromUpstream.isBetweenFrames) this.socket.write(closeFrame(code, false));
    if (this.fromClient.isBetweenFrames) this.upstream?.write(closeFrame(code, true));
    this.socket.end();
    this.upstream?.end();
    setTimeout(() => this.destroy(), CLOSE_GRACE_MS).unref();
  }

  /** Called by http-proxy, as on a socket. */
  setNoDelay(): this {
    return this;
  }

  setKeepAlive(isOn: boolean): this {
    this.socket.setKeepAlive(isOn);
    return this;
  }

  setTimeout(): this {
    return this;
  }

  private receive(chunk: Buffer): void {
    if (this.isClosing) return;
    this.idle?.refresh();
    const code = this.fromClient.scan(chunk);
    if (code !== 0) this.close(code);
    else if (!this.passToUpstream(chunk)) this.socket.pause();
  }

  override _read(): void {
    if (this.isStarted && !this.isClosing) this.socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (!this.hasSkippedHead) {
      // http-proxy writes the upstream's head first; the gateway writes its own, after the plugins have seen it.
      this.hasSkippedHead = true;
      done();
    } else if (!this.isStarted) {
      this.waiting = () => this.pass(chunk, done);
    } else {
      this.pass(chunk, done);
    }
  }

  private pass(chunk: Buffer, done: (error?: Error | null) => void): void {
    if (this.isClosing) {
      done();
      return;
    }
    this.idle?.refresh();
    const code = this.fromUpstream.scan(chunk);
    if (code === 0) {
      this.socket.write(chunk, done);
      return;
    }
    this.close(code);
    done();
  }

  override _final(done: () => void): void {
    this.socket.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.idle);
    clearTimeout(this.life);
    // Before the start, the client still waits for an answer, and gets a problem document.
    if (this.isStarted) this.socket.destroy();
    this.upstream?.destroy();
    done(error);
  }
}

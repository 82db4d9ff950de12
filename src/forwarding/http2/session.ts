import { type ClientHttp2Session, connect } from "node:http2";
import type { TLSSocket } from "node:tls";
import type { Asking } from "../asking.ts";
import type { OpenSocket } from "../open-socket.ts";
import { asUnreachable, malformed, UpstreamError } from "../upstream-error.ts";
import { writeRequestFields } from "./fields.ts";
import { isMalformed } from "./frame-error.ts";
import { Http2Request, type RequestOwner } from "./request.ts";

/** Who keeps sessions. */
export interface SessionOwner {
  readonly origin: string;
  /** Of the instance, as `:authority` says it. */
  readonly host: string;
  readonly connectMs: number;
  readonly open: OpenSocket;
  /** There is room for a request: at first, and each time that one is over. */
  onRoom(session: Http2Session): void;
  /** The instance has not chosen HTTP/2. */
  onOtherProtocol(session: Http2Session): void;
  onUnprocessed(asking: Asking): void;
  forget(session: Http2Session, error: Error): void;
}

/** Streams of one session at a time, where the upstream does not say fewer. */
const MAX_STREAMS = 100;
const IDLE_MS = 30_000;
/** Without a sign of life while something is waited for: then it is asked for one, and has that long to give it. */
const PING_AFTER_MS = 10_000;
/** Likewise of one that has said GOAWAY. It may be gone by now: Node has been seen to lose the end of a connection that came right behind it. */
const LAST_PING_AFTER_MS = 3_000;
/** SETTINGS, PING and ORIGIN between two sweeps: an upstream has few reasons for any. */
const MAX_CONTROL_FRAMES = 100;
const STREAM_WINDOW_BYTES = 262_144;
const SESSION_WINDOW_BYTES = 1_048_576;
const LIMITS = {
  // In MB: the fields of answers that are being read, and what is to be sent.
  maxSessionMemory: 64,
  maxHeaderListPairs: 2_000,
  maxOutstandingPings: 2,
  settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES, maxHeaderListSize: 65_536 },
};

/** One connection that speaks HTTP/2, for many requests at a time. */
export class Http2Session implements RequestOwner {
  /** Both sides have said their limits and know the other's. */
  isOpen = false;
  private readonly owner: SessionOwner;
  private readonly socket: TLSSocket;
  private readonly requests = new Set<Http2Request>();
  private readonly timer: NodeJS.Timeout;
  private session: ClientHttp2Session | undefined = undefined;
  /** The upstream has agreed to our limits, which the library holds it to from then on. */
  private isLimited = false;
  /** That the upstream takes. */
  private maxStreams: number | undefined = undefined;
  /** It takes no further requests. */
  private isEnding = false;
  private isOver = false;
  private controlFrames = 0;
  private seenAtMs = performance.now();
  private pingedAtMs: number | undefined = undefined;

  /** @throws GatewayError UPSTREAM_ADDRESS_REFUSED */
  constructor(owner: SessionOwner) {
    this.owner = owner;
    this.socket = owner.open() as TLSSocket;
    this.timer = setTimeout(
      () => this.fail(new UpstreamError("connect-timeout", "no connection in time")),
      owner.connectMs,
    ).unref();
    this.socket.once("secureConnect", () => this.negotiate());
    this.socket.on("error", (error) => this.fail(this.isOpen ? error : asUnreachable(error)));
    this.socket.on("close", () => this.failClosed());
  }

  get isIdle(): boolean {
    return this.requests.size === 0;
  }

  get hasRoom(): boolean {
    return this.isOpen && !this.isEnding && !this.isInQuestion && this.requests.size < (this.maxStreams ?? 0);
  }

  /** It was asked for a sign of life and has not given it: what it would be sent could be lost. */
  private get isInQuestion(): boolean {
    return this.pingedAtMs !== undefined;
  }

  send(asking: Asking): void {
    try {
      const fields = writeRequestFields(asking, this.owner.host);
      if (this.isIdle) this.seenAtMs = asking.startedAtMs;
      this.requests.add(new Http2Request(this.session as ClientHttp2Session, asking, fields, this));
    } catch (error) {
      asking.onFail(error as Error);
    }
  }

  /** Looks after it now and then: ends what is idle for too long or shows no sign of life. */
  sweep(nowMs: number): void {
    const { pingedAtMs } = this;
    const pingAfterMs = this.isEnding ? LAST_PING_AFTER_MS : PING_AFTER_MS;
    this.controlFrames = 0;
    if (!this.isOpen) return;
    if (pingedAtMs !== undefined) {
      if (nowMs - pingedAtMs > pingAfterMs) this.fail(new UpstreamError("broken", "it answers no PING"));
    } else if (this.isIdle) {
      if (nowMs - this.seenAtMs > IDLE_MS) this.close();
    } else if (nowMs - this.seenAtMs > pingAfterMs) {
      this.ping(nowMs);
    }
  }

  /** Ends what slow clients hold, so many requests at most. @returns how many it was */
  takeBack(nowMs: number, most: number): number {
    let taken = 0;
    for (const request of this.requests) {
      if (taken === most) break;
      if (!request.isHeld(nowMs)) continue;
      taken++;
      request.takeBack();
    }
    return taken;
  }

  /** Takes no more requests; those under way are finished. */
  close(): void {
    this.isEnding = true;
    this.session?.close();
  }

  destroy(): void {
    this.fail(new UpstreamError("broken", "the connection was let go"));
  }

  onSign(): void {
    this.seenAtMs = performance.now();
    if (!this.isInQuestion) return;
    this.pingedAtMs = undefined;
    if (this.hasRoom) this.owner.onRoom(this);
  }

  onSilence(): void {
    if (!this.isInQuestion) this.ping(performance.now());
  }

  onClose(request: Http2Request): void {
    this.requests.delete(request);
    if (this.hasRoom) this.owner.onRoom(this);
  }

  onUnprocessed(asking: Asking): void {
    this.owner.onUnprocessed(asking);
  }

  private ping(nowMs: number): void {
    const { session } = this;
    if (session === undefined || session.destroyed) return;
    this.pingedAtMs = nowMs;
    session.ping((error) => {
      if (error === null) this.onSign();
    });
  }

  private negotiate(): void {
    if (this.isOver) return;
    if (this.socket.alpnProtocol !== "h2") {
      this.isOver = true;
      clearTimeout(this.timer);
      this.socket.destroy();
      this.owner.onOtherProtocol(this);
      return;
    }
    const session = connect(this.owner.origin, { ...LIMITS, createConnection: () => this.socket });
    this.session = session;
    session.once("connect", () => session.setLocalWindowSize(SESSION_WINDOW_BYTES));
    session.on("remoteSettings", ({ maxConcurrentStreams }) => {
      this.onControl();
      this.maxStreams = Math.min(maxConcurrentStreams ?? MAX_STREAMS, MAX_STREAMS);
      if (this.isLimited) this.onOpen();
    });
    session.on("localSettings", () => {
      this.isLimited = true;
      if (this.maxStreams !== undefined) this.onOpen();
    });
    session.on("ping", () => this.onControl());
    session.on("origin", () => this.onControl());
    session.on("goaway", (code, lastStreamId) => this.onGoaway(code, lastStreamId));
    session.on("error", (error) => this.onError(error));
    session.on("close", () => this.failClosed());
  }

  private onError(error: Error): void {
    if (isMalformed(error)) this.fail(malformed(error.message));
    else this.fail(this.isOpen ? error : asUnreachable(error));
  }

  private onOpen(): void {
    this.isOpen = true;
    clearTimeout(this.timer);
    this.onSign();
    if (this.hasRoom) this.owner.onRoom(this);
  }

  private onControl(): void {
    this.controlFrames++;
    if (this.controlFrames > MAX_CONTROL_FRAMES) this.fail(malformed("a flood of SETTINGS, PING or ORIGIN"));
  }

  /** Streams above the last one were not looked at, and may be sent again, whatever their method (RFC 9113 §8.7). */
  private onGoaway(code: number, lastStreamId: number): void {
    this.isEnding = true;
    // One that has never served anything would have them go round for ever.
    const isUsualEnd = code === 0 && lastStreamId > 0;
    for (const request of this.requests) {
      if ((request.out.id ?? Number.POSITIVE_INFINITY) > lastStreamId) request.dropUnprocessed(isUsualEnd);
    }
  }

  private failClosed(): void {
    this.fail(new UpstreamError(this.isOpen ? "broken" : "unreachable", "the connection was closed"));
  }

  private fail(error: Error): void {
    if (this.isOver) return;
    this.isOver = true;
    this.isEnding = true;
    clearTimeout(this.timer);
    for (const request of this.requests) request.fail(error);
    this.session?.destroy();
    this.socket.destroy();
    this.owner.forget(this, error);
  }
}

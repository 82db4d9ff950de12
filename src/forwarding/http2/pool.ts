import type { AddressGuard } from "../../core/address-guard.ts";
import { GatewayError } from "../../core/errors.ts";
import type { Asking } from "../asking.ts";
import { Http1Pool } from "../http1/pool.ts";
import { createSocketOpener, type OpenSocket } from "../open-socket.ts";
import type { ConnectOptions, InstancePool } from "../pools.ts";
import { UpstreamError } from "../upstream-error.ts";
import { Waiting } from "../waiting.ts";
import { Http2Session, type SessionOwner } from "./session.ts";

const CONNECT_MS = 1_000;
const MAX_SESSIONS = 1_024;
/** Requests that one session is hoped to take: where more wait, another one is opened. */
const HOPED_STREAMS = 100;
/** An instance that has chosen HTTP/1.1 is asked again after that. */
const HTTP1_FOR_MS = 60_000;

/** Connections to one instance that speak HTTP/2, or HTTP/1.1 where it chooses that (ALPN). */
export class Http2Pool implements InstancePool, SessionOwner {
  readonly origin: string;
  readonly host: string;
  readonly connectMs: number;
  readonly open: OpenSocket;
  private readonly options: ConnectOptions;
  private readonly guard: AddressGuard | undefined;
  private readonly shared: Buffer;
  private readonly sessions = new Set<Http2Session>();
  private readonly waiting = new Waiting();
  private http1: Http1Pool | undefined = undefined;
  private http1SinceMs = 0;
  private isClosed = false;

  constructor(origin: string, options: ConnectOptions, guard: AddressGuard | undefined, shared: Buffer) {
    this.origin = origin;
    this.host = new URL(origin).host;
    this.connectMs = options.connectMs ?? CONNECT_MS;
    this.options = options;
    this.guard = guard;
    this.shared = shared;
    this.open = createSocketOpener(origin, options.tls, guard, ["h2", "http/1.1"]);
  }

  get isIdle(): boolean {
    for (const session of this.sessions) if (!session.isIdle) return false;
    return this.waiting.length === 0 && this.http1?.isIdle !== false;
  }

  dispatch(asking: Asking): void {
    if (this.isClosed) {
      asking.onFail(new UpstreamError("broken", "the gateway is closing"));
      return;
    }
    if (this.http1 !== undefined) {
      this.http1.dispatch(asking);
      return;
    }
    // Those opened last are used least, so that those not needed grow old and go.
    for (const session of this.sessions) {
      if (!session.hasRoom) continue;
      session.send(asking);
      return;
    }
    if (!this.waiting.add(asking)) {
      asking.onFail(new GatewayError("UPSTREAM_BUSY", "every connection to the instance is taken"));
      return;
    }
    this.openWhatIsWanted();
  }

  onRoom(session: Http2Session): void {
    while (this.waiting.length > 0 && session.hasRoom) {
      const next = this.waiting.next();
      if (next !== undefined) session.send(next);
    }
    this.openWhatIsWanted();
  }

  onOtherProtocol(session: Http2Session): void {
    this.sessions.delete(session);
    this.http1 = new Http1Pool(this.origin, this.options, this.guard, this.shared);
    this.http1SinceMs = performance.now();
    for (let next = this.waiting.next(); next !== undefined; next = this.waiting.next()) this.http1.dispatch(next);
  }

  onUnprocessed(asking: Asking): void {
    this.dispatch(asking);
  }

  forget(session: Http2Session, error: Error): void {
    this.sessions.delete(session);
    if (this.isClosed || this.waiting.length === 0) return;
    // What waits may still go by another session; with none left, this is how it went for them all.
    if (session.isOpen) this.openWhatIsWanted();
    else if (this.sessions.size === 0) this.waiting.failAll(error);
  }

  sweep(nowMs: number): void {
    for (const session of this.sessions) session.sweep(nowMs);
    this.http1?.sweep(nowMs);
    if (this.http1?.isIdle === true && nowMs - this.http1SinceMs > HTTP1_FOR_MS) {
      this.http1.destroy();
      this.http1 = undefined;
    }
    if (this.waiting.length === 0) return;
    this.makeRoom(nowMs);
    this.waiting.expire(nowMs);
    this.openWhatIsWanted();
  }

  destroy(): void {
    this.isClosed = true;
    for (const session of this.sessions) session.destroy();
    this.http1?.destroy();
    this.waiting.failAll(new UpstreamError("broken", "the gateway is closing"));
  }

  /** All sessions are full, and of requests of clients that do next to nothing with them. ATTACKS 45. */
  private makeRoom(nowMs: number): void {
    let wanted = this.waiting.length;
    for (const session of this.sessions) wanted -= session.takeBack(nowMs, wanted);
  }

  private openWhatIsWanted(): void {
    let opening = 0;
    for (const session of this.sessions) if (!session.isOpen) opening++;
    const most = this.options.connections ?? MAX_SESSIONS;
    if (this.waiting.length <= opening * HOPED_STREAMS || this.sessions.size >= most) return;
    try {
      this.sessions.add(new Http2Session(this));
    } catch (error) {
      this.waiting.failAll(error as Error);
    }
  }
}

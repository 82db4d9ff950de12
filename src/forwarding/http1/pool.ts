import type { AddressGuard } from "../../core/address-guard.ts";
import { isStream } from "../../core/body.ts";
import { GatewayError } from "../../core/errors.ts";
import type { Asking } from "../asking.ts";
import { createSocketOpener, type OpenSocket } from "../open-socket.ts";
import type { ConnectOptions } from "../pools.ts";
import { UpstreamError } from "../upstream-error.ts";
import { Waiting } from "../waiting.ts";
import { Connection, type ConnectionOwner } from "./connection.ts";

const CONNECT_MS = 1_000;
/** Envoy's default. */
const MAX_CONNECTIONS = 1_024;
/** Share of the connections that bodies may take which are still coming. */
const MAX_UPLOADING = 7 / 8;
/** How often it is looked for clients that hold a connection while others wait. */
const LOOK_EVERY_MS = 100;

/** The connections to one instance. The one used last is used next, so that those not needed grow old and go. */
export class Http1Pool implements ConnectionOwner {
  readonly host: string;
  readonly isSecure: boolean;
  readonly connectMs: number;
  private readonly maxConnections: number;
  readonly shared: Buffer;
  readonly open: OpenSocket;
  private readonly connections = new Set<Connection>();
  private readonly idle: Connection[] = [];
  private readonly waiting = new Waiting();
  private isClosed = false;
  private lookedAtMs = 0;

  constructor(origin: string, options: ConnectOptions, guard: AddressGuard | undefined, shared: Buffer) {
    const { host, protocol } = new URL(origin);
    this.host = host;
    this.isSecure = protocol === "https:";
    this.connectMs = options.connectMs ?? CONNECT_MS;
    this.maxConnections = options.connections ?? MAX_CONNECTIONS;
    this.shared = shared;
    this.open = createSocketOpener(origin, options.tls, guard);
  }

  /** No request is in work or waits. */
  get isIdle(): boolean {
    return this.idle.length === this.connections.size && this.waiting.length === 0;
  }

  dispatch(asking: Asking): void {
    if (isStream(asking.body) && !this.hasRoomForUpload()) {
      this.wait(asking);
      return;
    }
    for (let connection = this.idle.pop(); connection !== undefined; connection = this.idle.pop()) {
      if (connection.isFresh(asking.startedAtMs)) {
        connection.send(asking);
        return;
      }
      connection.close();
    }
    if (this.isClosed) asking.onFail(new UpstreamError("broken", "the gateway is closing"));
    else if (this.connections.size < this.maxConnections) this.connect(asking);
    else this.wait(asking);
  }

  release(connection: Connection): void {
    const next = this.next();
    if (next === undefined) this.idle.push(connection);
    else connection.send(next);
  }

  forget(connection: Connection): void {
    this.connections.delete(connection);
    const i = this.idle.indexOf(connection);
    if (i >= 0) this.idle.splice(i, 1);
    if (this.isClosed || this.waiting.length === 0) return;
    const next = this.next();
    if (next !== undefined) this.connect(next);
  }

  /** Ends what has been idle or has waited for too long. Called now and then. */
  sweep(nowMs: number): void {
    for (const connection of this.idle.filter((each) => !each.isFresh(nowMs))) connection.close();
    if (this.waiting.length === 0) return;
    this.makeRoom(nowMs);
    this.waiting.expire(nowMs);
  }

  destroy(): void {
    this.isClosed = true;
    for (const connection of this.connections) connection.close();
    this.waiting.failAll(new UpstreamError("broken", "the gateway is closing"));
  }

  private wait(asking: Asking): void {
    if (!this.waiting.add(asking)) {
      asking.onFail(new GatewayError("UPSTREAM_BUSY", "every connection to the instance is taken"));
      return;
    }
    if (asking.startedAtMs - this.lookedAtMs > LOOK_EVERY_MS) this.makeRoom(asking.startedAtMs);
  }

  private next(): Asking | undefined {
    return this.waiting.nextWhole() ?? (this.hasRoomForUpload() ? this.waiting.nextUpload() : undefined);
  }

  /** Clients that send slowly could take all connections: some are left to requests that are whole. ATTACKS 45. */
  private hasRoomForUpload(): boolean {
    const most = Math.max(1, Math.floor(this.maxConnections * MAX_UPLOADING));
    if (this.connections.size < most) return true;
    let uploading = 0;
    for (const connection of this.connections) if (connection.isUploading) uploading++;
    return uploading < most;
  }

  /** All connections are taken, and some of them by clients that do next to nothing with them. ATTACKS 45. */
  private makeRoom(nowMs: number): void {
    this.lookedAtMs = nowMs;
    let wanted = this.waiting.length;
    for (const connection of this.connections) {
      if (wanted === 0) return;
      if (!connection.isHeld(nowMs)) continue;
      wanted--;
      connection.takeBack();
    }
  }

  private connect(asking: Asking): void {
    try {
      this.connections.add(new Connection(this, asking));
    } catch (error) {
      asking.onFail(error as Error);
    }
  }
}

import { randomBytes } from "node:crypto";
import type { AddressGuard } from "../core/address-guard.ts";
import type { Asking } from "./asking.ts";
import { Http1Pool } from "./http1/pool.ts";
import { ReadBuffer } from "./http1/read-buffer.ts";
import { Http2Pool } from "./http2/pool.ts";

/** How connections to an upstream are made; routes that say the same share them. */
export interface ConnectOptions {
  readonly connectMs?: number | undefined;
  readonly tls?: ResolvedTls | undefined;
  readonly http2?: boolean | undefined;
  /** To one instance, at most. */
  readonly connections?: number | undefined;
}

/** The TLS options of a route, with their files read. */
export interface ResolvedTls {
  readonly serverName: string | undefined;
  readonly ca?: Buffer | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

/** Pools in one group before those without a request in work are let go: instances come and go under new addresses. */
const MAX_POOLS = 512;
/** Let go at once: to close hundreds would hold up the loop. */
const MOST_CLOSED = 8;
const SWEEP_MS = 1_000;

/** What an {@link Asking} is given to: the connections to one instance. */
export interface InstancePool {
  readonly isIdle: boolean;
  dispatch(asking: Asking): void;
  /** Ends what is idle for too long. */
  sweep(nowMs: number): void;
  destroy(): void;
}

/** The connections of all routes that connect in one way: a pool for each origin. */
export class PoolGroup {
  private readonly pools = new Map<string, InstancePool>();
  private readonly options: ConnectOptions;
  private readonly guard: AddressGuard | undefined;
  private readonly shared = ReadBuffer.createShared();
  private timer: NodeJS.Timeout | undefined = undefined;

  constructor(options: ConnectOptions, guard?: AddressGuard) {
    this.options = options;
    this.guard = guard;
  }

  of(origin: string): InstancePool {
    return this.pools.get(origin) ?? this.open(origin);
  }

  destroy(): void {
    clearInterval(this.timer);
    for (const pool of this.pools.values()) pool.destroy();
    this.pools.clear();
  }

  private open(origin: string): InstancePool {
    if (this.pools.size >= MAX_POOLS) this.closeIdle();
    this.timer ??= setInterval(() => this.sweep(), SWEEP_MS).unref();
    const { options, guard } = this;
    const isHttp2 = options.http2 === true && origin.startsWith("https:");
    const Pool = isHttp2 ? Http2Pool : Http1Pool;
    const pool = new Pool(origin, options, guard, this.shared);
    this.pools.set(origin, pool);
    return pool;
  }

  private sweep(): void {
    const nowMs = performance.now();
    for (const pool of this.pools.values()) pool.sweep(nowMs);
  }

  private closeIdle(): void {
    let closed = 0;
    for (const [origin, pool] of this.pools) {
      if (closed === MOST_CLOSED) return;
      if (!pool.isIdle) continue;
      closed++;
      this.pools.delete(origin);
      pool.destroy();
    }
  }
}

/** Connections to upstreams, shared by every route and every snapshot of one gateway. */
export class UpstreamPools {
  /** This gateway's name in `Via`: seen in a request, that request has come round. */
  readonly pseudonym = `portico-${randomBytes(6).toString("hex")}`;
  private readonly groups = new Map<string, PoolGroup>();
  /** Asked before each connection. */
  readonly guard: AddressGuard | undefined;

  constructor(guard?: AddressGuard) {
    this.guard = guard;
  }

  group(options: ConnectOptions): PoolGroup {
    const { connectMs, tls, http2, connections } = options;
    const parts = [connectMs, connections, http2 === true, tls?.serverName, tls?.ca, tls?.cert, tls?.key];
    const key = parts.map((part) => (Buffer.isBuffer(part) ? part.toString("base64") : String(part))).join(" ");
    let group = this.groups.get(key);
    if (group === undefined) {
      group = new PoolGroup(options, this.guard);
      this.groups.set(key, group);
    }
    return group;
  }

  close(): void {
    for (const group of this.groups.values()) group.destroy();
    this.groups.clear();
  }
}

import { randomBytes } from "node:crypto";
import { type buildConnector, Pool } from "undici";
import type { AddressGuard } from "../core/address-guard.ts";
import { createGuardedConnect } from "./guarded-connect.ts";

/** How connections to an upstream are made; routes that say the same share them. */
export interface ConnectOptions {
  readonly connectMs?: number | undefined;
  readonly tls?: ResolvedTls | undefined;
  readonly http2?: boolean | undefined;
}

/** The TLS options of a route, with their files read. */
export interface ResolvedTls {
  readonly serverName: string | undefined;
  readonly ca?: Buffer | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

const CONNECT_MS = 1_000;
/** Pools in one group before those without a request in work are let go: instances come and go under new addresses. */
const MAX_POOLS = 512;
/** Let go at once: to close hundreds would hold up the loop. */
const MOST_CLOSED = 8;

/** The connections of all routes that connect in one way: a pool for each origin. */
export class PoolGroup {
  private readonly pools = new Map<string, Pool>();
  private readonly options: ConnectOptions;

  private readonly guard: AddressGuard | undefined;

  constructor(options: ConnectOptions, guard?: AddressGuard) {
    this.options = options;
    this.guard = guard;
  }

  of(origin: string): Pool {
    return this.pools.get(origin) ?? this.open(origin);
  }

  async destroy(): Promise<void> {
    await Promise.all([...this.pools.values()].map((pool) => pool.destroy()));
    this.pools.clear();
  }

  private open(origin: string): Pool {
    if (this.pools.size >= MAX_POOLS) this.closeIdle();
    const { connectMs = CONNECT_MS, tls, http2 } = this.options;
    const connect: buildConnector.BuildOptions = {
      timeout: connectMs,
      ...(tls?.serverName === undefined ? {} : { servername: tls.serverName }),
      ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
      ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
      ...(tls?.key === undefined ? {} : { key: tls.key }),
      allowH2: http2 === true,
    };
    const pool = new Pool(origin, {
      connections: 256,
      pipelining: 1,
      connect: this.guard === undefined ? connect : createGuardedConnect(connect, this.guard),
      allowH2: http2 === true,
      maxHeaderSize: 65_536,
    });
    this.pools.set(origin, pool);
    return pool;
  }

  private closeIdle(): void {
    let closed = 0;
    for (const [origin, pool] of this.pools) {
      if (closed === MOST_CLOSED) return;
      if (pool.stats.running > 0 || pool.stats.pending > 0) continue;
      closed++;
      this.pools.delete(origin);
      void pool.close();
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
    const { connectMs, tls, http2 } = options;
    const parts = [connectMs, http2 === true, tls?.serverName, tls?.ca, tls?.cert, tls?.key];
    const key = parts.map((part) => (Buffer.isBuffer(part) ? part.toString("base64") : String(part))).join(" ");
    let group = this.groups.get(key);
    if (group === undefined) {
      group = new PoolGroup(options, this.guard);
      this.groups.set(key, group);
    }
    return group;
  }

  async close(): Promise<void> {
    await Promise.all([...this.groups.values()].map((group) => group.destroy()));
    this.groups.clear();
  }
}

import { Readable } from "node:stream";
import type { buildConnector, Pool } from "undici";
import type { AddressGuard } from "../core/address-guard.ts";
import { lazyPackage } from "../core/lazy.ts";
import type { Asking } from "./asking.ts";
import { createGuardedConnect } from "./guarded-connect.ts";
import { Http2Answer } from "./http2-answer.ts";
import type { ConnectOptions, InstancePool } from "./pools.ts";

const undici = lazyPackage<typeof import("undici")>("undici");
const CONNECT_MS = 1_000;

/**
 * Over HTTP/2 undici takes a buffer of these methods alone: that of a DELETE or a QUERY fails an assertion of its own, and
 * goes as a stream.
 */
const hasLengthHere = (method: string): boolean => method === "POST" || method === "PUT" || method === "PATCH";

/** Connections to one instance that may speak HTTP/2, as it and ALPN agree: those of undici. */
export class Http2Pool implements InstancePool {
  private readonly pool: Pool;

  constructor(origin: string, { connectMs = CONNECT_MS, tls }: ConnectOptions, guard: AddressGuard | undefined) {
    const connect: buildConnector.BuildOptions = {
      timeout: connectMs,
      ...(tls?.serverName === undefined ? {} : { servername: tls.serverName }),
      ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
      ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
      ...(tls?.key === undefined ? {} : { key: tls.key }),
      allowH2: true,
    };
    const { Pool } = undici();
    this.pool = new Pool(origin, {
      connections: 256,
      pipelining: 1,
      connect: guard === undefined ? connect : createGuardedConnect(connect, guard),
      allowH2: true,
      maxHeaderSize: 65_536,
    });
  }

  get isIdle(): boolean {
    return this.pool.stats.running === 0 && this.pool.stats.pending === 0;
  }

  dispatch(asking: Asking): void {
    const { method, target, headers, host, body, headersMs, bodyIdleMs } = asking;
    const answer = new Http2Answer(asking);
    asking.underWay = answer;
    this.pool.dispatch(
      {
        method: method as "GET",
        path: target,
        headers: host === undefined ? headers.toFlat() : [...headers.toFlat(), "Host", host],
        body: hasLengthHere(method) || !Buffer.isBuffer(body) ? body : Readable.from([body]),
        headersTimeout: headersMs,
        bodyTimeout: bodyIdleMs,
      },
      answer,
    );
  }

  /** undici does that by itself. */
  sweep(): void {}

  destroy(): void {
    void this.pool.destroy();
  }
}

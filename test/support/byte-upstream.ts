import { once } from "node:events";
import { request } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { readWhole } from "../../src/core/body.ts";
import type { GatewayResponse } from "../../src/core/exchange.ts";
import { HeaderList } from "../../src/core/headers.ts";
import type { Asking, UnderWay } from "../../src/forwarding/asking.ts";
import { PoolGroup } from "../../src/forwarding/pools.ts";

/** Bytes of an answer as latin1, in the pieces they are sent in; the connection is closed after them. */
export type Pieces = readonly string[];

export interface ByteUpstream {
  readonly origin: string;
  readonly port: number;
  /** What the next request is answered with. */
  pieces: Pieces;
}

/** An upstream that answers each connection's first request with bytes, piece by piece, and closes. */
export async function startByteUpstream(t: TestContext): Promise<ByteUpstream> {
  const upstream = { origin: "", port: 0, pieces: [] as Pieces };
  const server: Server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => {});
    socket.once("data", () => void sendPieces(socket, upstream.pieces));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return Object.assign(upstream, { port, origin: `http://127.0.0.1:${port}` });
}

async function sendPieces(socket: Socket, pieces: Pieces): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) return;
    await new Promise<void>((resolve) => socket.write(piece, "latin1", () => resolve()));
    await new Promise((resolve) => setImmediate(resolve));
  }
  socket.end();
}

/** What a client makes of an answer. */
export interface Understood {
  readonly status: number;
  /** Without those of the hop. */
  readonly fields: string[];
  readonly body: string;
  readonly trailers: string[];
}
/** Undefined where it refuses the answer, or breaks off in the middle of it. */
export type Reading = Understood | undefined;

const HOP = /^(connection|keep-alive|transfer-encoding|trailer|upgrade|te|proxy-.*|alt-svc|http2-settings)$/i;
const FRAMING_BY_US = /^content-length$/i;
const withoutHop = (flat: readonly string[]): string[] => {
  const kept: string[] = [];
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i] as string;
    if (!HOP.test(name) && !FRAMING_BY_US.test(name)) kept.push(name, flat[i + 1] as string);
  }
  return kept;
};

/** Asks with Portico's own client. */
export async function readWithOurs(t: TestContext, upstream: ByteUpstream, method: string): Promise<Reading> {
  const group = new PoolGroup({});
  t.after(() => group.destroy());
  try {
    const response = await ask(group, upstream.origin, { method });
    const body = (await readWhole(response.body, 1_000_000)) ?? Buffer.alloc(0);
    const trailers = response.trailers?.toFlat() ?? [];
    return {
      status: response.status,
      fields: withoutHop(response.headers.toFlat()),
      body: body.toString("latin1"),
      trailers,
    };
  } catch {
    return undefined;
  } finally {
    group.destroy();
  }
}

/** Asks with `node:http`, whose parser is llhttp in its strict mode. */
export function readWithNode({ port }: ByteUpstream, method: string): Promise<Reading> {
  return new Promise((resolve) => {
    const asking = request({ port, host: "127.0.0.1", method, agent: false, maxHeaderSize: 65_536 }, (response) => {
      let body = "";
      response.setEncoding("latin1");
      response.on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("error", () => resolve(undefined));
      response.on("end", () => {
        if (!response.complete) return resolve(undefined);
        resolve({
          status: response.statusCode ?? 0,
          fields: withoutHop(response.rawHeaders),
          body,
          trailers: withoutHop(response.rawTrailers),
        });
      });
    });
    asking.on("error", () => resolve(undefined));
    asking.on("upgrade", (_response, socket) => {
      socket.destroy();
      resolve(undefined);
    });
    asking.end();
  });
}

/** One request through a pool, without a gateway around it. */
export function ask(
  group: PoolGroup,
  origin: string,
  {
    method = "GET",
    headersMs = 20_000,
    bodyIdleMs = 20_000,
    onEnd = () => {},
  }: Partial<Pick<Asking, "method" | "headersMs" | "bodyIdleMs" | "onEnd">> = {},
): Promise<GatewayResponse> {
  return new Promise((resolve, reject) => {
    group.of(origin).dispatch({
      method,
      target: "/",
      headers: new HeaderList(),
      host: undefined,
      body: null,
      trailers: undefined,
      takesTrailers: false,
      headersMs,
      bodyIdleMs,
      startedAtMs: performance.now(),
      underWay: undefined as UnderWay | undefined,
      isCancelled: false,
      onInformation() {},
      onAnswer: resolve,
      onFail: reject,
      onEnd,
    });
  });
}

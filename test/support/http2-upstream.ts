import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { createServer, type TLSSocket } from "node:tls";
import type { RouteOptions } from "../../src/config/schema.ts";
import { certify } from "./certificate-files.ts";
import { FLAG, type Frame, FrameReader, field, frame, PREFACE, TYPE } from "./http2-frames.ts";

/** One connection of the gateway to an upstream that speaks by single frames. */
export interface FrameConnection {
  readonly socket: TLSSocket;
  readonly frames: Frame[];
  send(...frames: Buffer[]): void;
}

export interface FrameUpstream {
  readonly url: string;
  readonly connections: FrameConnection[];
  /** Streams of whole requests in order of arrival, with the index of their connection. */
  readonly requests: { readonly connection: number; readonly stream: number }[];
  /** For a route that reaches it. */
  readonly route: Partial<RouteOptions>;
}

export interface FrameUpstreamOptions {
  /** Payload of its first SETTINGS; `null`: it sends none. */
  readonly settings?: Buffer | null;
  readonly answersPings?: boolean;
  /** Told of each request's header section, before its body. */
  readonly onHead?: (connection: FrameConnection, stream: number, nth: number) => void;
  /** Told of each whole request. @param nth of all connections, from 0 */
  readonly onRequest?: (connection: FrameConnection, stream: number, nth: number) => void;
}

/** A header section, or trailers. */
export const fields = (...pairs: [string, string][]): Buffer =>
  Buffer.concat(pairs.map(([name, value]) => field(name, value)));
export const head = (
  stream: number,
  pairs: [string, string][] = [],
  flags: number = FLAG.none,
  status = "200",
): Buffer => frame(TYPE.headers, FLAG.endHeaders | flags, stream, fields([":status", status], ...pairs));
export const data = (stream: number, text: string, flags: number = FLAG.none): Buffer =>
  frame(TYPE.data, flags, stream, Buffer.from(text, "latin1"));

/** An upstream that speaks HTTP/2 by single frames, as no library would. */
export async function startFrameUpstream(t: TestContext, options: FrameUpstreamOptions): Promise<FrameUpstream> {
  const folder = mkdtempSync(join(tmpdir(), "portico-h2-upstream-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const files = certify(folder, "upstream.test");
  const connections: FrameConnection[] = [];
  const requests: FrameUpstream["requests"] = [];
  const server = createServer(
    { key: readFileSync(files.key), cert: readFileSync(files.cert), ALPNProtocols: ["h2"] },
    (socket) => {
      const index = connections.length;
      const reader = new FrameReader();
      const connection: FrameConnection = {
        socket,
        frames: [],
        send: (...frames) => {
          if (socket.writable) socket.write(Buffer.concat(frames));
        },
      };
      connections.push(connection);
      const { settings = Buffer.alloc(0) } = options;
      if (settings !== null) connection.send(frame(TYPE.settings, FLAG.none, 0, settings));
      let isGreeted = false;
      socket.on("error", () => {});
      socket.on("data", (chunk: Buffer) => {
        const received = isGreeted ? chunk : chunk.subarray(PREFACE.length);
        isGreeted = true;
        for (const one of reader.read(received)) {
          connection.frames.push(one);
          const isAck = (one.flags & FLAG.ack) !== 0;
          if (one.type === TYPE.settings && !isAck && settings !== null)
            connection.send(frame(TYPE.settings, FLAG.ack, 0));
          if (one.type === TYPE.ping && !isAck && options.answersPings !== false)
            connection.send(frame(TYPE.ping, FLAG.ack, 0, one.payload));
          if (one.type === TYPE.headers && (one.flags & FLAG.endStream) === 0)
            options.onHead?.(connection, one.stream, requests.length);
          const isBody = one.type === TYPE.headers || one.type === TYPE.data;
          if (!isBody || (one.flags & FLAG.endStream) === 0) continue;
          requests.push({ connection: index, stream: one.stream });
          options.onRequest?.(connection, one.stream, requests.length - 1);
        }
      });
    },
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const { socket } of connections) socket.destroy();
    server.close();
  });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const route: Partial<RouteOptions> = {
    upstream: { targets: [{ url }] },
    upstreamTls: { ca: files.cert },
    upstreamHttp2: true,
    retries: { attempts: 0 },
    // A handshake on a busy machine takes its time.
    timeouts: { connectMs: 20_000 },
  };
  return { url, connections, requests, route };
}

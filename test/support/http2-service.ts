import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import { createServer as createHttp1Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { RouteOptions } from "../../src/config/schema.ts";
import { certify } from "./certificate-files.ts";

/** What a service on Node's own HTTP/2 has read of each request. */
export interface Http2Service {
  readonly seen: {
    readonly version: string;
    readonly fields: string[];
    readonly body: string;
    readonly trailers: string[];
  }[];
  /** Sessions that were ever opened. */
  readonly sessions: { opened: number };
  readonly route: Partial<RouteOptions>;
}

/** @param onlyHttp1 it speaks nothing else */
export async function startHttp2Service(
  t: TestContext,
  answer: (request: Http2ServerRequest, response: Http2ServerResponse) => void,
  { onlyHttp1 = false }: { onlyHttp1?: boolean } = {},
): Promise<Http2Service> {
  const folder = mkdtempSync(join(tmpdir(), "portico-h2-service-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const files = certify(folder, "service.test");
  const seen: Http2Service["seen"] = [];
  const sessions = { opened: 0 };
  const certificate = { key: readFileSync(files.key), cert: readFileSync(files.cert) };
  const handle = (request: Http2ServerRequest, response: Http2ServerResponse): void => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString("latin1");
    });
    request.on("error", () => {});
    request.on("end", () => {
      seen.push({ version: request.httpVersion, fields: request.rawHeaders, body, trailers: request.rawTrailers });
      answer(request, response);
    });
  };
  const server = onlyHttp1
    ? createHttp1Server(certificate, handle as never)
    : createSecureServer({ ...certificate, allowHTTP1: true }, handle);
  server.on("session", () => sessions.opened++);
  server.on("sessionError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return {
    seen,
    sessions,
    route: {
      upstream: { targets: [{ url: `https://127.0.0.1:${(server.address() as AddressInfo).port}` }] },
      upstreamTls: { ca: files.cert },
      upstreamHttp2: true,
      retries: { attempts: 0 },
      // A handshake on a busy machine takes its time.
      timeouts: { connectMs: 20_000 },
    },
  };
}

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { OperationOptions, PorticoOptions, RouteOptions } from "../../src/config/schema.ts";
import { createGateway, type Gateway } from "../../src/gateway/gateway.ts";

/** A gateway in front of one service that answers as the test says, and what that service was asked. */
export interface CachedService {
  readonly url: string;
  readonly gateway: Gateway;
  /** Every request that reached the service, in order. */
  readonly asked: { readonly method: string; readonly url: string; readonly headers: IncomingMessage["headers"] }[];
  get(path: string, headers?: Record<string, string | string[]>): Promise<Got>;
  send(method: string, path: string, headers?: Record<string, string | string[]>, body?: string): Promise<Got>;
}

export interface Got {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  /** The member that Portico added to `Cache-Status`. */
  readonly cache: string;
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const parameter = (name: string, place: string): object => ({
  name,
  in: place,
  required: place === "path",
  schema: { type: "string" },
});
const operation = (operationId: string, ...more: object[]): object => ({
  operationId,
  parameters: more,
  responses: { 200: { description: "ok" } },
});

/** Orders, with their own hierarchy; a guarded corner; declared parameters. */
export const DOCUMENT = {
  openapi: "3.1.0",
  info: { title: "Orders", version: "1" },
  paths: {
    "/orders": {
      get: operation("listOrders", parameter("page", "query"), parameter("tenant", "cookie")),
      head: operation("headOrders"),
      post: {
        operationId: "addOrder",
        responses: { 201: { description: "made", links: { stats: { operationId: "getStats" } } } },
      },
    },
    "/orders/{id}": {
      get: operation("getOrder", parameter("id", "path")),
      put: operation("putOrder", parameter("id", "path")),
      delete: operation("deleteOrder", parameter("id", "path")),
    },
    "/orders/{id}/cancel": { post: operation("cancelOrder", parameter("id", "path")) },
    "/stats": { get: operation("getStats") },
    "/me": { get: { ...operation("getMe"), security: [{ key: [] }] } },
    "/notices": { get: { ...operation("listNotices"), security: [{ key: [] }, {}] } },
    "/me/{file}": { get: { ...operation("getMyFile", parameter("file", "path")), security: [{ key: [] }] } },
  },
  components: { securitySchemes: { key: { type: "apiKey", in: "header", name: "x-api-key" } } },
};

/** Keys `a`, `b` of the consumers alice and bob. */
const KEY_PLUGIN = `export default {
  name: "test-key",
  phase: "authenticate",
  options: { type: "object" },
  setup() {
    const consumers = { a: { name: "alice" }, b: { name: "bob" } };
    return (exchange, next) => {
      exchange.consumer = consumers[exchange.request.headers.get("x-api-key")];
      return next(exchange);
    };
  },
};`;

export async function startCachedService(
  t: TestContext,
  answer: Answer,
  cache: NonNullable<OperationOptions["cache"]> = {},
  options: PorticoOptions = {},
  route: Partial<RouteOptions> = {},
): Promise<CachedService> {
  const asked: CachedService["asked"] = [];
  const service = createServer((request, response) => {
    asked.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers });
    answer(request, response);
  });
  await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    service.closeAllConnections();
    service.close();
  });
  const folder = await mkdtemp(join(tmpdir(), "portico-test-"));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  await writeFile(join(folder, "orders.json"), JSON.stringify(DOCUMENT));
  await writeFile(join(folder, "test-key.mjs"), KEY_PLUGIN);
  const { port } = service.address() as AddressInfo;
  const gateway = await createGateway({
    options,
    routes: [
      {
        openapi: "orders.json",
        upstream: { targets: [{ url: `http://127.0.0.1:${port}` }] },
        security: { key: { "./test-key.mjs": {} } },
        retries: { attempts: 0 },
        validate: { request: "off", response: "off" },
        cache,
        ...route,
      },
    ],
    folder,
    port: 0,
  });
  t.after(() => gateway.close());
  const url = await gateway.listen();
  const send: CachedService["send"] = (method, path, headers = {}, body) => ask(url, method, path, headers, body);
  return { url, gateway, asked, send, get: (path, headers) => send("GET", path, headers) };
}

/** Answers every request with these fields and a body that tells which request it was. */
export const answering = (headers: Record<string, string | string[]>, status = 200): Answer => {
  let count = 0;
  return (_request, response) => {
    response.writeHead(status, headers).end(`answer ${++count}`);
  };
};

/** Not `fetch`: that sends no `Host` of ours, and neither a GET with a body nor a field twice. */
export function ask(
  url: string,
  method: string,
  path: string,
  headers: Record<string, string | string[]>,
  body: string | undefined,
): Promise<Got> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const outgoing = request({ hostname, port, path, method, headers, agent: false }, async (response) => {
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of response) chunks.push(chunk);
      } catch (error) {
        reject(error);
        return;
      }
      const status = response.headers["cache-status"] ?? "";
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        text: String(Buffer.concat(chunks)),
        cache: /Portico;.*/.exec(String(status))?.[0] ?? "",
      });
    });
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { PorticoOptions, RouteOptions } from "../../src/config/schema.ts";
import { createGateway } from "../../src/gateway/gateway.ts";

/** What reached the service behind a {@link specGateway}. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The problem document, or whatever JSON came. */
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into any answer
  readonly json: any;
}

export interface SpecGateway {
  readonly url: string;
  readonly received: Received[];
  send(method: string, path: string, init?: RequestInit & { duplex?: "half" }): Promise<Answered>;
  /** Sends bytes as they are, and reads until the connection closes. @returns the status */
  raw(request: string): Promise<number>;
}

export interface SpecGatewayParts {
  readonly document: object;
  readonly route?: Omit<RouteOptions, "openapi">;
  readonly options?: PorticoOptions;
  /** Default: true. */
  readonly hasUpstream?: boolean;
  /** Answers in the service's place. Default: 200 with `{}`. */
  readonly answer?: (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;
}

/** A gateway that serves one document in front of a service that remembers what it was sent. */
export async function specGateway(t: TestContext, parts: SpecGatewayParts): Promise<SpecGateway> {
  const received: Received[] = [];
  const answer = parts.answer ?? ((_, response) => response.setHeader("content-type", "application/json").end("{}"));
  const service = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      received.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers, body });
      answer(request, response, body);
    });
  });
  await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
  const folder = await mkdtemp(join(tmpdir(), "portico-"));
  await writeFile(join(folder, "spec.json"), JSON.stringify(parts.document));
  const target = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  const upstream = parts.hasUpstream === false ? {} : { upstream: { targets: [{ url: target }] } };
  const route = { prefix: "", ...upstream, security: "upstream", ...parts.route, openapi: "spec.json" } as RouteOptions;
  const gateway = await createGateway({ folder, options: parts.options ?? {}, routes: [route], port: 0 });
  const url = await gateway.listen();
  t.after(async () => {
    await gateway.close();
    service.closeAllConnections();
    await new Promise((resolve) => service.close(resolve));
    await rm(folder, { recursive: true, force: true });
  });
  return {
    url,
    received,
    async send(method, path, init = {}) {
      const response = await fetch(url + path, { method, ...init });
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, json: toJson(text) };
    },
    raw: (request) =>
      new Promise((resolve, reject) => {
        const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(request, "latin1"));
        let text = "";
        socket.setEncoding("latin1").on("data", (chunk: string) => {
          text += chunk;
        });
        // A refusal can come while the rest is still being sent into a connection that is closed by then.
        socket.on("error", (error) => text === "" && reject(error));
        socket.on("close", () => resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1])));
      }),
  };
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A document with one operation `POST /` that takes one body. */
export const bodyDocument = (content: object, more: object = {}): object => ({
  openapi: "3.1.0",
  info: { title: "Bodies", version: "1" },
  paths: { "/": { post: { requestBody: { required: true, content }, responses: { 200: { description: "ok" } } } } },
  ...more,
});

/** A document with one operation `GET` at a path that has these parameters. */
export const parameterDocument = (path: string, ...parameters: object[]): object => ({
  openapi: "3.1.0",
  info: { title: "Parameters", version: "1" },
  paths: { [path]: { get: { parameters, responses: { 200: { description: "ok" } } } } },
});

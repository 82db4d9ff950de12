import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import type { PorticoOptions, RouteOptions } from "../../src/config/schema.ts";
import { createGateway, type Gateway } from "../../src/gateway/gateway.ts";
import { createWellKnownFallback } from "../../src/gateway/well-known.ts";

export interface ProjectParts {
  /** By path below the project's folder: text as it is, anything else as JSON. */
  readonly files: Readonly<Record<string, string | object>>;
  /** Default: one for the first of the files. */
  readonly routes?: readonly Partial<RouteOptions>[];
  readonly options?: PorticoOptions;
}

export interface ProjectAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Of an answer of the service, the target that it was asked for. */
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into any answer
  readonly json: any;
}

export interface ProjectGateway {
  readonly url: string;
  readonly gateway: Gateway;
  /** Sends a target as it is written, which `fetch` would mend. */
  send(method: string, target: string, headers?: Record<string, string>, body?: string): Promise<ProjectAnswer>;
}

/**
 * A gateway that reads a project's specs from files, before one service that answers each request with its target.
 * @throws ConfigError for what would keep it from starting
 */
export async function projectGateway(t: TestContext, parts: ProjectParts): Promise<ProjectGateway> {
  const folder = await mkdtemp(join(tmpdir(), "portico-project-"));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  for (const [name, content] of Object.entries(parts.files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
  }
  const service = createServer((incoming, outgoing) => {
    incoming.resume().on("end", () => outgoing.end(incoming.url));
  });
  await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    service.closeAllConnections();
    service.close();
  });
  const upstream = { targets: [{ url: `http://127.0.0.1:${(service.address() as AddressInfo).port}` }] };
  const routes = (parts.routes ?? [{}]).map((route) => ({
    openapi: Object.keys(parts.files)[0],
    upstream,
    security: "upstream",
    ...route,
  })) as RouteOptions[];
  const gateway: Gateway = await createGateway({
    folder,
    options: parts.options ?? {},
    routes,
    port: 0,
    fallback: createWellKnownFallback(() => gateway.current().specs, undefined),
  });
  t.after(() => gateway.close());
  const url = await gateway.listen();
  return { url, gateway, send: (method, target, headers, body) => send(url, method, target, headers, body) };
}

const send = (base: string, method: string, path: string, headers = {}, body = ""): Promise<ProjectAnswer> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(base);
    const length = body === "" ? {} : { "content-length": String(Buffer.byteLength(body)) };
    const sent = request({ hostname, port, method, path, agent: false, headers: { ...length, ...headers } });
    sent.on("error", reject).on("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => {
        const isJson = String(response.headers["content-type"]).includes("json") && text !== "";
        const json: unknown = isJson ? JSON.parse(text) : undefined;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
      });
    });
    sent.end(body);
  });

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { PorticoOptions, RouteOptions } from "../../src/config/schema.ts";
import { createGateway } from "../../src/gateway/gateway.ts";

/** A small API to guard: a list with a `limit`, one item, and a way to add one. */
const document = {
  openapi: "3.1.0",
  info: { title: "Things", version: "1" },
  paths: {
    "/things": {
      get: {
        operationId: "listThings",
        parameters: [{ name: "limit", in: "query", schema: { type: "integer", default: 5 } }],
        responses: { 200: { description: "ok" } },
      },
      post: {
        operationId: "addThing",
        requestBody: { content: { "*/*": {} } },
        responses: { 201: { description: "made" } },
      },
    },
    "/things/{id}": {
      get: {
        operationId: "getThing",
        "x-cost": 10,
        parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }],
        responses: { 200: { description: "ok" } },
      },
    },
  },
};

export interface PluginGateway {
  readonly url: string;
  /** `METHOD target` of all that reached the service, in order. */
  readonly seen: string[];
  readonly last: () => IncomingMessage & { text: string };
  reload(): Promise<void>;
}

/** A real service behind a real gateway with these plugins on its route. The service says what it was asked unless told otherwise. */
export async function startPluginGateway(
  t: TestContext,
  plugins: RouteOptions["plugins"],
  more: { options?: PorticoOptions; route?: Partial<RouteOptions>; service?: RequestListener } = {},
): Promise<PluginGateway> {
  const seen: string[] = [];
  let last: (IncomingMessage & { text: string }) | undefined;
  const service = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      last = Object.assign(request, { text: String(Buffer.concat(chunks)) });
      if (more.service !== undefined) more.service(last, response);
      else sayBack(last, response);
    });
  });
  const folder = await mkdtemp(join(tmpdir(), "portico-plugins-"));
  t.after(async () => {
    service.closeAllConnections();
    service.close();
    await rm(folder, { recursive: true });
  });
  await writeFile(join(folder, "things.json"), JSON.stringify(document));
  const target = await listen(service);
  const gateway = await createGateway({
    folder,
    port: 0,
    options: { ...more.options },
    routes: [
      {
        openapi: "things.json",
        upstream: { targets: [{ url: target }] },
        ...(plugins === undefined ? {} : { plugins }),
        ...more.route,
      },
    ],
  });
  const url = await gateway.listen();
  t.after(() => gateway.close());
  return {
    url,
    seen,
    last: () => {
      if (last === undefined) throw new Error("nothing reached the service");
      return last;
    },
    reload: () => gateway.reload(),
  };
}

/** @returns the base URL, on a free port of loopback */
export async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const sayBack = (request: IncomingMessage & { text: string }, response: Parameters<RequestListener>[1]): void => {
  response.setHeader("content-type", "application/json");
  response.end(
    JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body: request.text }),
  );
};

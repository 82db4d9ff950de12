import { createServer } from "node:http";
import type { TestContext } from "node:test";
import type { PorticoOptions, RouteOptions } from "../../src/config/schema.ts";
import { createGateway, type Gateway } from "../../src/gateway/gateway.ts";
import { folderWith } from "./cli.ts";
import { listen } from "./plugin-gateway.ts";

const SCHEMES = {
  bearer: { type: "http", scheme: "bearer" },
  headerKey: { type: "apiKey", in: "header", name: "X-Key" },
  queryKey: { type: "apiKey", in: "query", name: "key" },
  cookieKey: { type: "apiKey", in: "cookie", name: "session" },
  basic: { type: "http", scheme: "basic" },
  oidc: { type: "openIdConnect", openIdConnectUrl: "http://127.0.0.1:1/.well-known/openid-configuration" },
  mutual: { type: "mutualTLS" },
};
type Requirement = Readonly<Partial<Record<keyof typeof SCHEMES, readonly string[]>>>;

/** What the service saw of the last request. */
export interface Seen {
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface SecuredGateway {
  readonly url: string;
  readonly gateway: Gateway;
  readonly folder: string;
  /** All that reached the service. */
  readonly seen: readonly Seen[];
  get(headers?: Readonly<Record<string, string>>, target?: string): Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly detail: string | undefined;
  readonly challenge: string | null;
  readonly headers: Headers;
}

/** A real service, and a gateway before it whose operation `GET /things` (and POST) has this `security` in its spec. */
export async function startSecuredGateway(
  t: TestContext,
  requirements: readonly Requirement[],
  route: Partial<RouteOptions>,
  more: { readonly files?: Readonly<Record<string, string>>; readonly options?: PorticoOptions } = {},
): Promise<SecuredGateway> {
  const seen: Seen[] = [];
  const service = createServer((request, response) => {
    seen.push({ url: request.url ?? "", headers: request.headers });
    request.resume().on("end", () => response.end("ok"));
  });
  const operation = { security: requirements, responses: { 200: { description: "ok" } } };
  const document = {
    openapi: "3.1.0",
    info: { title: "Things", version: "1" },
    paths: { "/things": { get: operation, post: { ...operation, requestBody: { content: { "*/*": {} } } } } },
    components: { securitySchemes: SCHEMES },
  };
  const folder = await folderWith(t, { "things.json": JSON.stringify(document), ...more.files });
  const target = await listen(service);
  t.after(() => service.close());
  const gateway = await createGateway({
    folder,
    port: 0,
    options: { ...more.options },
    routes: [{ openapi: "things.json", cache: { mode: "off" }, upstream: { targets: [{ url: target }] }, ...route }],
  });
  const url = await gateway.listen();
  t.after(() => gateway.close());
  return {
    url,
    gateway,
    folder,
    seen,
    get: (headers = {}, address = "/things") => ask(url + address, headers),
  };
}

async function ask(url: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
  const response = await fetch(url, { headers, redirect: "manual" });
  const text = await response.text();
  const isProblem = response.headers.get("content-type") === "application/problem+json";
  const problem = isProblem ? (JSON.parse(text) as { code: string; detail: string }) : undefined;
  return {
    status: response.status,
    code: problem?.code,
    detail: problem?.detail,
    challenge: response.headers.get("www-authenticate"),
    headers: response.headers,
  };
}

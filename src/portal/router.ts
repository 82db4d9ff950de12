import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import express, { type Express, type Response, type Router } from "express";
import type { Operation } from "../core/operation.ts";

/** One API as the portal shows it. */
export interface PortalApi {
  readonly title: string;
  readonly operations: readonly Operation[];
  /** @returns JSON of a whole document whose references stay inside it and whose server is the gateway */
  write(): Promise<Buffer>;
  /** The same of one operation with what it refers to. @returns undefined when there is none of this index */
  writeOperation(index: number): Promise<Buffer | undefined>;
}

export interface PortalOptions {
  /** Where it is mounted, as `/portal`. */
  readonly path: string;
  /** What is served now; asked at each request, so a reload shows at once. */
  readonly apis: () => readonly PortalApi[];
  /** Other servers that the page may ask, for tokens. */
  readonly tokenOrigins: () => readonly string[];
}

/** Scripts from this origin only: a description is somebody else's text, and its markdown must not run. ATTACKS 51, 57. */
const contentSecurityPolicy = (tokenOrigins: readonly string[]): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    ["connect-src 'self'", ...tokenOrigins].join(" "),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");

/** Built: all beside this file. From source: the page's own there, the others in the package that brings them. */
function findAsset(name: string): string {
  const built = fileURLToPath(new URL(`./assets/${name}`, import.meta.url));
  if (existsSync(built)) return built;
  if (name.startsWith("portal.")) return fileURLToPath(new URL(`./${name}`, import.meta.url));
  return join(dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json")), name);
}

const ASSETS = [
  "swagger-ui.css",
  "swagger-ui-bundle.js",
  "favicon-32x32.png",
  "oauth2-redirect.html",
  "oauth2-redirect.js",
  "portal.css",
  "portal.js",
];

/** The pages as an application of their own. */
export function createPortalApp(options: PortalOptions): Express {
  const app = express();
  app.disable("x-powered-by");
  app.set("etag", false);
  app.use(createPortalRouter(options));
  return app;
}

/** The pages that show every API behind the gateway and send real requests through it. */
function createPortalRouter({ path, apis, tokenOrigins }: PortalOptions): Router {
  const router = express.Router();
  const find = (index: string): PortalApi | undefined => (/^\d{1,9}$/.test(index) ? apis()[Number(index)] : undefined);
  const sendJson = (response: Response, body: Buffer | object | undefined): void => {
    if (body === undefined) notFound(response);
    else response.set("Cache-Control", "no-cache").type("json").send(body);
  };
  router.use((_request, response, next) => {
    response.set("Content-Security-Policy", contentSecurityPolicy(tokenOrigins()));
    response.set("X-Content-Type-Options", "nosniff");
    response.set("Referrer-Policy", "no-referrer");
    next();
  });
  router.get(path, (_request, response) => {
    response.type("html").set("Cache-Control", "no-cache").send(page(path));
  });
  router.get(`${path}/apis.json`, (_request, response) => {
    const list = apis().map(({ title, operations }, i) => ({
      name: title,
      url: `${path}/apis/${i}.json`,
      operations: operations.length,
    }));
    sendJson(response, list);
  });
  router.get(`${path}/apis/:index.json`, async (request, response) => {
    sendJson(response, await find(request.params.index)?.write());
  });
  router.get(`${path}/apis/:index.json/operations`, (request, response) => {
    sendJson(response, find(request.params.index)?.operations.map(toRow));
  });
  router.get(`${path}/apis/:index.json/operations/:operation`, async (request, response) => {
    sendJson(response, await find(request.params.index)?.writeOperation(Number(request.params.operation)));
  });
  router.get(`${path}/assets/:name`, (request, response) => {
    const { name } = request.params;
    if (!ASSETS.includes(name)) notFound(response);
    else response.set("Cache-Control", "public, max-age=3600").sendFile(findAsset(name), { dotfiles: "allow" });
  });
  return router;
}

const toRow = ({ id, method, path, summary = "", tags, deprecated }: Operation, index: number): object => ({
  index,
  id,
  method,
  path,
  summary,
  tag: tags[0] ?? "other",
  isDeprecated: deprecated,
});

const notFound = (response: Response): void => {
  response
    .status(404)
    .type("application/problem+json")
    .send(JSON.stringify({ title: "No such page", status: 404 }));
};

const page = (path: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Portico</title>
<link rel="icon" href="${path}/assets/favicon-32x32.png">
<link rel="stylesheet" href="${path}/assets/swagger-ui.css">
<link rel="stylesheet" href="${path}/assets/portal.css">
</head>
<body>
<header class="topbar-portico"><strong>Portico</strong><label for="select">API</label><select id="select"></select></header>
<main id="portal"></main>
<script src="${path}/assets/swagger-ui-bundle.js"></script>
<script src="${path}/assets/portal.js" data-base="${path}"></script>
</body>
</html>
`;

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import express, { type Express, type Response, type Router } from "express";

/** One API as the portal shows it. */
export interface PortalApi {
  readonly title: string;
  /** @returns JSON of a whole document whose references stay inside it and whose server is the gateway */
  write(): Promise<Buffer>;
}

/** Scripts from this origin only: a description is somebody else's text, and its markdown must not run. ATTACKS 51, 57. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Built: beside this file; from source: in the package that brings it. */
function findAssets(): string {
  const built = fileURLToPath(new URL("./assets", import.meta.url));
  if (existsSync(built)) return built;
  return dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
}

const ASSETS = ["swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-standalone-preset.js", "favicon-32x32.png"];

/** The pages as an application of their own. */
export function createPortalApp(path: string, apis: () => readonly PortalApi[]): Express {
  const app = express();
  app.disable("x-powered-by");
  app.set("etag", false);
  app.use(createPortalRouter(path, apis));
  return app;
}

/**
 * The pages that show every API behind the gateway and send real requests through it.
 * @param path where it is mounted, as `/portal`
 * @param apis what is served now; asked at each request, so a reload shows at once
 */
function createPortalRouter(path: string, apis: () => readonly PortalApi[]): Router {
  const assets = findAssets();
  const router = express.Router();
  router.use((_request, response, next) => {
    response.set("Content-Security-Policy", CONTENT_SECURITY_POLICY);
    response.set("X-Content-Type-Options", "nosniff");
    response.set("Referrer-Policy", "no-referrer");
    next();
  });
  router.get(path, (_request, response) => {
    response.type("html").send(page(path));
  });
  router.get(`${path}/init.js`, (_request, response) => {
    const urls = apis().map(({ title }, i) => ({ url: `${path}/apis/${i}.json`, name: title }));
    response.type("js").set("Cache-Control", "no-cache").send(initializer(urls));
  });
  router.get(`${path}/apis/:index.json`, async (request, response) => {
    const api = apis()[Number(request.params.index)];
    if (api === undefined) notFound(response);
    else
      response
        .set("Cache-Control", "no-cache")
        .type("json")
        .send(await api.write());
  });
  router.get(`${path}/assets/:name`, (request, response) => {
    const { name } = request.params;
    if (!ASSETS.includes(name)) notFound(response);
    else response.set("Cache-Control", "public, max-age=3600").sendFile(join(assets, name), { dotfiles: "allow" });
  });
  return router;
}

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
<style>body { margin: 0 } .topbar .link { display: none !important } .topbar { background: #22313f }</style>
</head>
<body>
<div id="portal"></div>
<script src="${path}/assets/swagger-ui-bundle.js"></script>
<script src="${path}/assets/swagger-ui-standalone-preset.js"></script>
<script src="${path}/init.js"></script>
</body>
</html>
`;

/** `<` is escaped so that a title from a description cannot end the script. */
const initializer = (urls: readonly object[]): string => `window.ui = SwaggerUIBundle({
  urls: ${JSON.stringify(urls).replaceAll("<", "\\u003c")},
  dom_id: "#portal",
  deepLinking: true,
  docExpansion: "list",
  displayRequestDuration: true,
  tryItOutEnabled: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  layout: "StandaloneLayout",
});
`;

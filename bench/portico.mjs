import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { answer } from "./answer.mjs";
import { spec as orders } from "./validated-spec.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const main = join(root, "dist/src/cli/main.js");
if (!existsSync(main)) throw new Error("build Portico first: npm run build");
export const github = join(root, "node_modules/@octokit/openapi/generated/api.github.com.json");

const plainSpec = {
  openapi: "3.1.0",
  info: { title: "Plain", version: "1" },
  paths: Object.fromEntries(
    ["/hello", "/cached", "/large", "/huge", "/socket"].map((path) => [
      path,
      { get: { responses: { 200: { description: "ok" } } } },
    ]),
  ),
};
const anyBytes = { parameters: [{ in: "path", name: "count", required: true, schema: { type: "integer" } }] };
const bodiesSpec = {
  openapi: "3.1.0",
  info: { title: "Bodies", version: "1" },
  paths: {
    "/bytes/{count}": {
      get: { ...anyBytes, responses: { 200: { description: "ok" } } },
      post: { ...anyBytes, responses: { 200: { description: "ok" } } },
    },
  },
};
export const SECRET = "a secret that only this benchmark knows";

/** Portico's words for each scenario: only what a user would write. */
const routes = {
  plain: () => ({ openapi: plainSpec, validate: { request: "off", response: "off" }, cache: { mode: "off" } }),
  missed: () => ({ openapi: plainSpec, validate: { request: "off", response: "off" } }),
  six: () => ({
    ...routes.plain(),
    plugins: [
      "request-id",
      "cors",
      { "ip-filter": { allow: ["127.0.0.0/8"] } },
      { jwt: { secret: SECRET, algorithms: ["HS256"] } },
      { acl: { allowGroups: ["staff"] } },
      { "rate-limit": { rate: "100000000/min", by: "consumer" } },
    ],
  }),
  websocket: () => ({ ...routes.plain(), websocket: true }),
  answered: () => ({ ...routes.plain(), plugins: [{ respond: { body: answer.toString() } }] }),
  limited: () => ({
    ...routes.plain(),
    plugins: [{ "rate-limit": { rate: "100000000/min", by: "address" } }, { respond: { body: answer.toString() } }],
  }),
  bodies: () => ({ openapi: bodiesSpec, validate: { request: "off", response: "off" }, cache: { mode: "off" } }),
  cached: () => ({ openapi: plainSpec }),
  orders: () => ({ openapi: orders, cache: { mode: "off" } }),
  github: () => ({ openapi: github, security: "upstream" }),
  full: () => ({
    openapi: github,
    security: "upstream",
    plugins: [
      "request-id",
      "cors",
      { jwt: { secret: SECRET, algorithms: ["HS256"] } },
      { "rate-limit": { rate: "100000000/min", by: "consumer" } },
    ],
  }),
};

export function portico(name, port, upstream, listen = {}) {
  const folder = mkdtempSync(join(tmpdir(), "portico-bench-"));
  mkdirSync(join(folder, "routes"));
  const route = { ...routes[name](), upstream: { targets: [{ url: `http://127.0.0.1:${upstream}` }] } };
  if (typeof route.openapi === "object") {
    writeFileSync(join(folder, "spec.json"), JSON.stringify(route.openapi));
    route.openapi = join(folder, "spec.json");
  }
  writeFileSync(join(folder, "routes/route.json"), JSON.stringify(route));
  writeFileSync(
    join(folder, "portico.yaml"),
    JSON.stringify({
      listen: { port, ...listen },
      ...(name === "full" && { admin: { port: 0 } }),
      ...(name === "bodies" && { limits: { bodyBytes: "16MiB" } }),
    }),
  );
  return [process.execPath, main, "start", "--config", join(folder, "portico.yaml")];
}

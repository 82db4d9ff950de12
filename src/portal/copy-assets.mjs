// Part of `npm run build`: puts the portal's scripts into the package, so that its users install no front-end package.
import { cpSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const from = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
const to = new URL("../../dist/src/portal/assets/", import.meta.url).pathname;
mkdirSync(to, { recursive: true });
for (const name of [
  "swagger-ui.css",
  "swagger-ui-bundle.js",
  "favicon-32x32.png",
  "oauth2-redirect.html",
  "oauth2-redirect.js",
  "LICENSE",
]) {
  cpSync(join(from, name), join(to, name));
}
for (const name of ["portal.css", "portal.js"]) {
  cpSync(new URL(name, import.meta.url), join(to, name));
}

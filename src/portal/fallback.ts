import express from "express";
import type { Fallback } from "../gateway/handle.ts";
import type { Spec } from "../openapi/operations.ts";
import { createPortalRouter, type PortalApi } from "./router.ts";

/** Serves the portal where no operation has a path: an API that declares the same path wins. */
export function createPortalFallback(path: string, specs: () => readonly Spec[]): Fallback {
  const app = express();
  app.disable("x-powered-by");
  app.set("etag", false);
  app.use(createPortalRouter(path, () => specs().map(toPortalApi)));
  return ({ request, incoming, outgoing }) => {
    const isOurs = request.path === path || request.path.startsWith(`${path}/`);
    if (
      !isOurs ||
      incoming === undefined ||
      outgoing === undefined ||
      (request.method !== "GET" && request.method !== "HEAD")
    ) {
      return false;
    }
    app(incoming, outgoing);
    return true;
  };
}

/** The document with the gateway as its only server: what the page sends goes the way every client's request goes. */
function toPortalApi(spec: Spec): PortalApi {
  const [operation] = spec.operations;
  const prefix = operation === undefined ? "" : operation.publicPath.slice(0, -operation.path.length);
  const { title, version, document } = spec.info;
  return { title: `${title} ${version}`.trim(), document: { ...document, servers: [{ url: prefix || "/" }] } };
}

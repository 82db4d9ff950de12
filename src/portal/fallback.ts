import type { RequestListener } from "node:http";
import type { Operation } from "../core/operation.ts";
import { Pace } from "../core/pace.ts";
import type { Fallback } from "../gateway/handle.ts";
import type { Json } from "../openapi/json.ts";
import type { Spec } from "../openapi/operations.ts";
import { writeJson } from "../openapi/write-json.ts";
import { toExcerpt } from "./excerpt.ts";
import type { PortalApi } from "./router.ts";
import { tokenOrigins, withPastedTokens } from "./tokens.ts";

/** Serves the portal where no operation has a path: an API that declares the same path wins. */
export function createPortalFallback(path: string, specs: () => readonly Spec[]): Fallback {
  // Made when somebody first looks: most gateways are never looked at, and Express takes its time to load.
  let pages: Promise<RequestListener> | undefined;
  const open = async (): Promise<RequestListener> => {
    const { createPortalApp } = await import("./router.ts");
    return createPortalApp({ path, apis: () => specs().map(toPortalApi), tokenOrigins: () => tokenOrigins(specs()) });
  };
  return (exchange) => {
    const { request } = exchange;
    const isOurs = request.path === path || request.path.startsWith(`${path}/`);
    if (!isOurs || (request.method !== "GET" && request.method !== "HEAD")) return false;
    const { incoming, outgoing } = exchange;
    if (incoming === undefined || outgoing === undefined) return false;
    pages ??= open();
    pages.then(
      (serve) => serve(incoming, outgoing),
      (error: Error) => outgoing.destroy(error),
    );
    return true;
  };
}

/** The document with the gateway as its only server: what the page sends goes the way every client's request goes. */
function toPortalApi(spec: Spec): PortalApi {
  const { operations, info } = spec;
  const write = async (toPart: (document: Json) => Json, operation: Operation | undefined): Promise<Buffer> => {
    const pace = Pace.besideTraffic();
    const document = withPastedTokens(toPart(await pace.do(spec.exported())));
    return pace.do(writeJson({ ...document, servers: [{ url: prefixOf(operation) || "/" }] }));
  };
  return {
    title: `${info.title} ${info.version}`.trim(),
    operations,
    write: () => write((document) => document, operations[0]),
    async writeOperation(index) {
      const operation = operations[index];
      return operation && write((document) => toExcerpt(document, operation), operation);
    },
  };
}

const prefixOf = (operation: Operation | undefined): string =>
  operation === undefined ? "" : operation.publicPath.slice(0, -operation.path.length);

import type { Server } from "node:http";
import express, { type NextFunction, type Request, type Response, type Router } from "express";
import { ConfigError } from "../config/problem.ts";
import { createExpressServer } from "../core/express-server.ts";
import { isSameSecret } from "../core/secrets.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { findingsOf } from "../validating/findings.ts";

export interface AdminParts {
  readonly gateway: Gateway;
  /** Undefined: nothing but health and metrics is answered. */
  readonly token: string | undefined;
  /** Prometheus text. */
  readonly metrics: () => string;
  /** False once the gateway is ending: load balancers stop sending. */
  readonly isReady: () => boolean;
  /** Further rooms' routes, behind the token. */
  readonly routers: readonly Router[];
}

/** The operator's API, on a listener of its own. Described by `openapi/admin.yaml`. */
export function createAdminServer(parts: AdminParts): Server {
  const { gateway } = parts;
  const app = express();
  app.disable("x-powered-by");
  app.set("etag", false);
  app.use(refuseForeignHosts);
  app.get("/health/live", (_request, response) => void response.json({ status: "up" }));
  app.get("/health/ready", (_request, response) => {
    const isReady = parts.isReady();
    response.status(isReady ? 200 : 503).json({ status: isReady ? "ready" : "ending" });
  });
  app.get("/metrics", (_request, response) => void response.type("text/plain; version=0.0.4").send(parts.metrics()));
  app.use(requireToken(parts.token));
  app.get("/v1/routes", (_request, response) => {
    response.json(
      gateway.current().routes.map(({ operation, stack }) => ({
        operation: operation.id,
        method: operation.method,
        path: operation.publicPath,
        spec: operation.spec.title,
        findings: findingsOf(operation),
        stack: stack.map(({ phase, name }) => ({ phase, name })),
      })),
    );
  });
  app.post("/v1/reload", async (_request, response) => {
    await gateway.reload();
    response.json({ operations: gateway.current().routes.length });
  });
  for (const router of parts.routers) app.use(router);
  app.use((_request, response) => problem(response, 404, "NOT_FOUND", "the admin API has no such path"));
  app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) next(error);
    else if (error instanceof ConfigError)
      problem(response, 422, "CONFIG_INVALID", "nothing changed", { problems: error.problems });
    else
      problem(response, (error as { status?: number }).status ?? 500, "ADMIN_FAILED", "the request could not be done");
  });
  return createExpressServer(app);
}

/** A page of any site may make a browser send requests to 127.0.0.1 under a name of its own (DNS rebinding). ATTACKS 57. */
function refuseForeignHosts(request: Request, response: Response, next: NextFunction): void {
  const host = (request.headers.host ?? "").replace(/:\d+$/, "");
  const isAddress = /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\]|localhost)$/i.test(host);
  if (isAddress || request.headers.origin === undefined) next();
  else problem(response, 403, "HOST_REFUSED", "use the address of the admin listener");
}

function requireToken(token: string | undefined) {
  return (request: Request, response: Response, next: NextFunction): void => {
    if (token === undefined) {
      problem(response, 403, "ADMIN_TOKEN_UNSET", "set admin.token in portico.yaml");
      return;
    }
    const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1];
    if (given !== undefined && isSameSecret(given, token)) {
      next();
      return;
    }
    response.set("WWW-Authenticate", "Bearer");
    problem(response, 401, "ADMIN_TOKEN_WRONG", "send Authorization: Bearer and the admin token");
  };
}

function problem(response: Response, status: number, code: string, detail: string, extensions: object = {}): void {
  response.status(status).type("application/problem+json");
  response.send(JSON.stringify({ title: code, status, code, detail, ...extensions }));
}

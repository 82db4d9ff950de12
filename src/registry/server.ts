import { randomBytes } from "node:crypto";
import type { Server } from "node:http";
import express, { type NextFunction, type Request, type Response } from "express";
import { systemClock } from "../core/clock.ts";
import { GatewayError } from "../core/errors.ts";
import { createExpressServer } from "../core/express-server.ts";
import type { Operation } from "../core/operation.ts";
import { toProblem } from "../core/problem.ts";
import type { AddressPolicy } from "../discovery/address-policy.ts";
import type { Access, Caller } from "./access.ts";
import { createApi } from "./api.ts";
import { createEurekaRouter } from "./eureka.ts";
import { Quota, type QuotaOptions } from "./quota.ts";
import type { Registry } from "./registry.ts";
import { readRegistrySpec, validateAgainst } from "./validate.ts";

export interface RegistryServerParts {
  readonly registry: Registry;
  readonly access: Access;
  readonly addresses: AddressPolicy;
  readonly quotas?: QuotaOptions | undefined;
  /** Told of what becomes a 5xx. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** The registry over HTTP: Express serves what `openapi/registry.yaml` describes, and Portico's validator holds it to that. */
export async function createRegistryServer(parts: RegistryServerParts): Promise<Server> {
  const { registry, access, addresses } = parts;
  const spec = await readRegistrySpec();
  const quota = new Quota(parts.quotas ?? {}, registry.catalog, systemClock);
  const api = createApi({ registry, quota, addresses });
  const app = express();
  app.disable("x-powered-by");
  app.set("etag", false);
  app.set("case sensitive routing", true);
  app.set("strict routing", true);
  app.use((request: Request, response: Response, next: NextFunction) => {
    response.locals.requestId = randomBytes(8).toString("base64url");
    response.locals.caller = access.authenticate(request);
    next();
  });
  const register = spec.operations.find(({ id }) => id === "registerInstance") as Operation;
  app.use("/eureka", createEurekaRouter({ registry, quota, addresses }, register));
  for (const [path, operations] of byPath(spec.operations)) {
    const route = app.route(path.replace(/\{([^}]*)\}/g, ":$1"));
    for (const operation of operations) {
      const handle = api[operation.id];
      if (handle === undefined) throw new Error(`openapi/registry.yaml has ${operation.id}, which nothing answers`);
      const method = operation.method.toLowerCase() as "get" | "put" | "delete";
      route[method](validateAgainst(operation), (request, response) =>
        handle(request, response, response.locals.caller as Caller),
      );
    }
    const allow = operations.map(({ method }) => method).join(", ");
    route.all(() => {
      throw new GatewayError("METHOD_NOT_ALLOWED", `use ${allow}`, { headers: { Allow: allow } });
    });
  }
  app.use(() => {
    throw new GatewayError("OPERATION_UNKNOWN", "the registry has no such path");
  });
  app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) next(error);
    else sendProblem(error, response, parts.onError);
  });
  return createExpressServer(app, { maxHeaderSize: 16_384, headersTimeout: 10_000, requestTimeout: 30_000 });
}

function sendProblem(error: unknown, response: Response, onError: RegistryServerParts["onError"]): void {
  // What Express itself refuses, such as a path that cannot be decoded, carries a status.
  const status = (error as { status?: number }).status ?? 500;
  const known =
    error instanceof GatewayError || status >= 500
      ? error
      : status === 413
        ? new GatewayError("BODY_TOO_LARGE", "the registry takes small bodies", { cause: error })
        : new GatewayError("PATH_REFUSED", "the path cannot be decoded", { cause: error });
  const problem = toProblem(known, String(response.locals.requestId ?? ""));
  if (problem.status >= 500) onError?.(error);
  response.writeHead(problem.status, problem.headers.toFlat());
  response.end(problem.body);
}

function byPath(operations: readonly Operation[]): Map<string, Operation[]> {
  const paths = new Map<string, Operation[]>();
  for (const operation of operations) paths.set(operation.path, [...(paths.get(operation.path) ?? []), operation]);
  return paths;
}

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { RequestHandler } from "express";
import { GatewayError } from "../core/errors.ts";
import { Exchange, type GatewayResponse } from "../core/exchange.ts";
import { HeaderList } from "../core/headers.ts";
import type { Operation } from "../core/operation.ts";
import { readDocument } from "../openapi/load.ts";
import { type Spec, toSpec } from "../openapi/operations.ts";
import { createRequestValidator } from "../validating/request.ts";

/** The description of the API, beside `src` and beside `dist/src` alike. */
export async function readRegistrySpec(): Promise<Spec> {
  const places = ["../../openapi/registry.yaml", "../../../openapi/registry.yaml"];
  const file = places.map((place) => fileURLToPath(new URL(place, import.meta.url))).find(existsSync);
  if (file === undefined) throw new Error("openapi/registry.yaml is missing from the package");
  const document = await readDocument(file);
  return toSpec(document.value, file, "");
}

const PASSED: GatewayResponse = { status: 204, headers: new HeaderList(), body: null };
const BODY_BYTES = 131_072;

/** Express middleware that holds a request against its operation, as the gateway does; the parsed body is `request.body`. */
export function validateAgainst(operation: Operation): RequestHandler {
  const validator = createRequestValidator(operation, {}, { bodyBytes: BODY_BYTES });
  validator?.prepare();
  return async (request, response, next) => {
    const target = request.originalUrl;
    const question = target.indexOf("?");
    const hasBody =
      request.headers["transfer-encoding"] !== undefined || (request.headers["content-length"] ?? "0") !== "0";
    const exchange = new Exchange({
      id: String(response.locals.requestId),
      request: {
        method: request.method,
        target,
        path: request.path,
        query: question < 0 ? "" : target.slice(question + 1),
        headers: new HeaderList(request.rawHeaders.slice()),
        body: hasBody ? request : null,
        httpVersion: request.httpVersion,
        scheme: "http",
        authority: request.headers.host ?? "",
      },
      client: { address: request.socket.remoteAddress ?? "", peer: request.socket.remoteAddress ?? "" },
      startedAtMs: performance.now(),
    });
    exchange.operation = operation;
    exchange.pathParameters = request.params as Record<string, string>;
    if (request.headers["content-encoding"] !== undefined)
      throw new GatewayError("MEDIA_TYPE_UNSUPPORTED", "send the body without a Content-Encoding");
    await validator?.handler(exchange, async () => PASSED);
    const { body } = exchange.request;
    if (Buffer.isBuffer(body)) request.body = JSON.parse(body.toString());
    else if (operation.requestBody !== undefined)
      throw new GatewayError("MEDIA_TYPE_UNSUPPORTED", "send application/json");
    next();
  };
}

const validators = new WeakMap<Operation, ReturnType<typeof createRequestValidator>>();

/** Holds a registration that came by another protocol against the same rules. @throws REQUEST_INVALID */
export async function assertRegistration(
  operation: Operation,
  place: { readonly service: string; readonly id: string },
  registration: object,
): Promise<void> {
  if (!validators.has(operation))
    validators.set(operation, createRequestValidator(operation, {}, { bodyBytes: BODY_BYTES }));
  const exchange = new Exchange({
    id: "",
    request: {
      method: operation.method,
      target: operation.path,
      path: operation.path,
      query: "",
      headers: new HeaderList(["Content-Type", "application/json"]),
      body: Buffer.from(JSON.stringify(registration)),
      httpVersion: "1.1",
      scheme: "http",
      authority: "",
    },
    client: { address: "", peer: "" },
    startedAtMs: performance.now(),
  });
  exchange.operation = operation;
  exchange.pathParameters = { ...place };
  await validators.get(operation)?.handler(exchange, async () => PASSED);
}

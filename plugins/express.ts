import type { Router } from "express";
import { definePlugin, type Exchange, type GatewayResponse, HeaderList, type Next, Type } from "../src/plugin.ts";
import { loadMiddleware } from "./express/load-middleware.ts";
import { type ExpressRequest, findRequest } from "./express/request.ts";
import { ExpressResponse } from "./express/response.ts";

export default definePlugin({
  name: "express",
  phase: "observe",
  options: Type.Object(
    {
      use: Type.String({
        minLength: 1,
        description:
          "An Express middleware: the name of an npm package, or a file as ./audit.ts, from the folder of the configuration; " +
          "`passport#initialize` is a member of what it exports.",
      }),
      options: Type.Optional(
        Type.Unknown({ description: "What makes the middleware is called with it; a list is several arguments." }),
      ),
      when: Type.Union([Type.Literal("before"), Type.Literal("after")], {
        default: "before",
        description:
          "before: when the request comes; what it sets goes over the fields of the answer. after: once there is an answer, which it sees as `res`.",
      }),
      consumer: Type.Optional(
        Type.String({
          pattern: "^[\\w$]+(\\.[\\w$]+)*$",
          description:
            "Where it leaves the name of who calls, as user.id for `req.user.id`: that is then the consumer.",
        }),
      ),
    },
    { additionalProperties: false },
  ),
  async setup({ options, folder, shared }) {
    // Made once for all operations: a session store in memory must be one.
    const { middleware } = shared(() => ({ middleware: loadMiddleware(options.use, options.options, folder) }));
    const run = await middleware;
    const consumerPath = options.consumer?.split(".");

    async function runBefore(exchange: Exchange, next: Next): Promise<GatewayResponse> {
      const request = findRequest(exchange);
      const response = new ExpressResponse(request);
      const forward = async (): Promise<void> => {
        await request.passOn();
        if (consumerPath !== undefined) identify(exchange, request, consumerPath);
        response.play(await next(exchange));
      };
      return call(run, request, response, forward);
    }

    async function runAfter(exchange: Exchange, next: Next): Promise<GatewayResponse> {
      const upstream = await next(exchange);
      const request = findRequest(exchange);
      const response = new ExpressResponse(request);
      response.show(upstream);
      const answer = await call(run, request, response, async () => response.play(upstream));
      return answer;
    }

    return {
      handler: options.when === "after" ? runAfter : runBefore,
      /** A middleware that answers a preflight does so at once; any other leaves it to who comes next. */
      preflight(exchange) {
        if (options.when === "after") return undefined;
        const request = findRequest(exchange);
        const response = new ExpressResponse(request);
        call(run, request, response, () => Promise.reject(new Error("declined"))).catch(() => {});
        return response.answer;
      },
    };
  },
});

/** @param forward what `next()` means */
function call(
  run: Router,
  request: ExpressRequest,
  response: ExpressResponse,
  forward: () => Promise<void>,
): Promise<GatewayResponse> {
  return new Promise((resolve, reject) => {
    response.settle = (error, answer) => {
      if (answer === undefined) reject(error);
      else resolve(answer);
    };
    Object.assign(request, { res: response });
    let hasPassed = false;
    run(request as never, response as never, (error?: unknown) => {
      if (error !== undefined && error !== null) {
        const refusal = findRefusal(error);
        if (refusal === undefined) reject(error);
        else resolve(refusal);
        return;
      }
      // Express lets `next` be called again; the service is asked once all the same.
      if (hasPassed || response.answer !== undefined) return;
      hasPassed = true;
      forward().catch(reject);
    });
  });
}

/** An error that names a status of the client's fault, as those of http-errors do, is an answer and not a failure. */
function findRefusal(error: unknown): GatewayResponse | undefined {
  const { status, message, expose } = error as { status?: unknown; message?: unknown; expose?: unknown };
  if (typeof status !== "number" || !Number.isInteger(status) || status < 400 || status > 499) return undefined;
  const detail = expose === true && typeof message === "string" ? { detail: message } : {};
  const body = Buffer.from(JSON.stringify({ type: "about:blank", title: "Refused", status, ...detail }));
  const headers = new HeaderList(["Content-Type", "application/problem+json", "Content-Length", String(body.length)]);
  return { status, headers, body };
}

function identify(exchange: Exchange, request: ExpressRequest, path: readonly string[]): void {
  let value: unknown = request;
  for (const name of path) value = (value as Record<string, unknown> | null | undefined)?.[name];
  if (typeof value === "string" || typeof value === "number") exchange.consumer = { name: String(value) };
}

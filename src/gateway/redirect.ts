import { createServer, type Server } from "node:http";
import type { Socket } from "node:net";
import type { LimitOptions } from "../config/listen-options.ts";
import { GatewayError } from "../core/errors.ts";
import { toProblem } from "../core/problem.ts";
import { readTarget } from "./authority.ts";
import { answerParseError } from "./parse-error.ts";
import { readHead } from "./read-request.ts";
import { DEFAULT_MAX_HEADERS, holdToLimits, toServerOptions } from "./server-limits.ts";

/** In place of a request's id: nothing of a redirect is logged. */
const ID = "redirect";

/** Sends clients of plain HTTP to the same place under https; they are held to the rules and limits of the port behind it. */
export function createRedirectServer(httpsPort: () => number, limits: LimitOptions): Server {
  // A loop through a redirect is the client's, who sees it: no name to look for in `Via`.
  const rules = { maxHeaders: limits.headers ?? DEFAULT_MAX_HEADERS, isTrusted: false, pseudonym: "\n" };
  const server = createServer(toServerOptions(limits), (request, response) => {
    response.shouldKeepAlive = false;
    try {
      const { authority } = readHead(request.rawHeaders, request.httpVersion, rules);
      if (authority === "") throw new GatewayError("REQUEST_MALFORMED", "Host is missing");
      const target = readTarget(request.url ?? "/", request.method ?? "GET", authority) ?? { path: "/", query: "" };
      const host = authority.replace(/:\d*$/, "");
      const port = httpsPort() === 443 ? "" : `:${httpsPort()}`;
      const query = target.query === "" ? "" : `?${target.query}`;
      response.writeHead(308, { Location: `https://${host}${port}${target.path}${query}`, "Content-Length": 0 });
      response.end();
    } catch (error) {
      const { status, headers, body } = toProblem(error, ID);
      response.writeHead(status, headers.toFlat());
      response.end(body);
    }
  });
  holdToLimits(server, limits);
  server.on("clientError", (error, socket) => answerParseError(error, socket as Socket, ID, "head"));
  return server;
}

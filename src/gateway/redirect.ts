import { createServer, type Server } from "node:http";
import { GatewayError } from "../core/errors.ts";
import { toProblem } from "../core/problem.ts";
import { findAuthority, readTarget } from "./authority.ts";

/** Sends clients of plain HTTP to the same place under https; `Host` and target are held to the same rules as elsewhere. */
export function createRedirectServer(httpsPort: () => number): Server {
  return createServer(
    { headersTimeout: 10_000, requestTimeout: 10_000, requireHostHeader: false },
    (request, response) => {
      response.shouldKeepAlive = false;
      try {
        const authority = findAuthority(request.headers.host, request.httpVersion);
        if (authority === "") throw new GatewayError("REQUEST_MALFORMED", "Host is missing");
        const target = readTarget(request.url ?? "/", request.method ?? "GET", authority) ?? { path: "/", query: "" };
        const host = authority.replace(/:\d*$/, "");
        const port = httpsPort() === 443 ? "" : `:${httpsPort()}`;
        const query = target.query === "" ? "" : `?${target.query}`;
        response.writeHead(308, { Location: `https://${host}${port}${target.path}${query}`, "Content-Length": 0 });
        response.end();
      } catch (error) {
        const { status, headers, body } = toProblem(error, "redirect");
        response.writeHead(status, headers.toFlat());
        response.end(body);
      }
    },
  );
}

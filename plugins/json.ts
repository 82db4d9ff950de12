import {
  definePlugin,
  findMediaType,
  GatewayError,
  type GatewayResponse,
  type HeaderList,
  isJson,
  parseBytes,
  readWhole,
  Type,
} from "../src/plugin.ts";
import { compileJsonChanges, JsonChanges } from "./transforming/json-changes.ts";

export default definePlugin({
  name: "json",
  phase: "transform",
  // A body comes as fast as its sender sends it; the gateway's own timeouts hold.
  callTimeoutMs: 0,
  options: Type.Object(
    {
      request: Type.Optional({ ...JsonChanges, description: "Changes to the body that the service gets." }),
      response: Type.Optional({ ...JsonChanges, description: "Changes to the body of a successful answer." }),
      maxBytes: Type.Union([Type.Integer({ minimum: 1 }), Type.String()], {
        default: "1MiB",
        description: "A longer body is an error: it would have to be held whole.",
      }),
    },
    { additionalProperties: false },
  ),
  setup({ options }) {
    const maxBytes = parseBytes(options.maxBytes);
    const changeRequest = options.request && compileJsonChanges(options.request);
    const changeResponse = options.response && compileJsonChanges(options.response);

    async function rewriteResponse(response: GatewayResponse): Promise<void> {
      const bytes = await readAnswer(response, maxBytes);
      const value = bytes === null ? undefined : parse(bytes);
      if (value === undefined)
        throw new GatewayError("UPSTREAM_MALFORMED", "the answer says that it is JSON and is not");
      response.body = replaceBody(response.headers, changeResponse?.(value));
    }

    return async function changeJson(exchange, next) {
      const { request } = exchange;
      if (changeRequest !== undefined && request.body !== null && isPlainJson(request.headers)) {
        const bytes = await readWhole(request.body, maxBytes);
        const value = bytes === null ? undefined : parse(bytes);
        if (value === undefined) throw new GatewayError("BODY_MALFORMED", "the body is not JSON");
        request.body = replaceBody(request.headers, changeRequest(value));
      }
      if (changeResponse === undefined) return next(exchange);
      // Part of a body, or a compressed one, cannot be changed.
      request.headers.delete("range");
      request.headers.set("Accept-Encoding", "identity");
      const response = await next(exchange);
      if (response.status < 200 || response.status >= 300 || !isPlainJson(response.headers)) return response;
      if (response.body !== null) await rewriteResponse(response);
      // Without a body it answers HEAD: the length it tells is that of a body that no client gets.
      else if (request.method === "HEAD") dropBodyFields(response.headers);
      return response;
    };
  },
});

function isPlainJson(headers: HeaderList): boolean {
  const type = headers.get("content-type");
  const media = type === undefined ? undefined : findMediaType(type);
  return media !== undefined && isJson(media) && (headers.get("content-encoding") ?? "identity") === "identity";
}

/** @returns undefined when it is not JSON */
function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

async function readAnswer(response: GatewayResponse, maxBytes: number): Promise<Buffer | null> {
  try {
    return await readWhole(response.body, maxBytes);
  } catch (cause) {
    throw new GatewayError("UPSTREAM_ABORTED", `the answer could not be read, or is longer than ${maxBytes} bytes`, {
      cause,
    });
  }
}

/** Fields that speak of the bytes of a body are wrong for another one. */
function replaceBody(headers: HeaderList, value: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(value ?? null));
  dropBodyFields(headers);
  headers.set("Content-Length", String(body.length));
  return body;
}

function dropBodyFields(headers: HeaderList): void {
  const etag = headers.get("etag");
  headers.filter((name) => !ABOUT_BYTES.has(name));
  if (etag !== undefined && !etag.startsWith("W/")) headers.set("ETag", `W/${etag}`);
}
const ABOUT_BYTES = new Set([
  "content-length",
  "content-md5",
  "digest",
  "content-digest",
  "repr-digest",
  "accept-ranges",
]);

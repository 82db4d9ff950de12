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
import { decodeBody } from "./transforming/decode.ts";
import { changeJsonText } from "./transforming/exact-json.ts";
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
      response.headers.delete("content-encoding");
      const text = bytes === null || changeResponse === undefined ? undefined : rewrite(bytes, changeResponse);
      if (text === undefined)
        throw new GatewayError("UPSTREAM_MALFORMED", "the answer says that it is JSON and is not");
      response.body = replaceBody(response.headers, text);
    }

    return async function changeJson(exchange, next) {
      const { request } = exchange;
      if (changeRequest !== undefined && request.body !== null && hasJson(request.headers)) {
        // It would reach the service as it is, with all that was to be dropped from it.
        if (codingOf(request.headers) !== undefined) throw compressed();
        const bytes = await readWhole(request.body, maxBytes);
        const text = bytes === null ? undefined : rewrite(bytes, changeRequest);
        if (text === undefined) throw new GatewayError("BODY_MALFORMED", "the body is not JSON");
        request.body = replaceBody(request.headers, text);
      }
      if (changeResponse === undefined) return next(exchange);
      // Part of a body cannot be changed, and a compressed one must first be read.
      request.headers.delete("range");
      request.headers.set("Accept-Encoding", "identity");
      const response = await next(exchange);
      if (response.status < 200 || response.status >= 300 || !hasJson(response.headers)) return response;
      if (response.body !== null) await rewriteResponse(response);
      // Without a body it answers HEAD: the length it tells is that of a body that no client gets.
      else if (request.method === "HEAD") dropBodyFields(response.headers);
      return response;
    };
  },
});

function hasJson(headers: HeaderList): boolean {
  const type = headers.get("content-type");
  const media = type === undefined ? undefined : findMediaType(type);
  return media !== undefined && isJson(media);
}

function codingOf(headers: HeaderList): string | undefined {
  const coding = headers.getJoined("content-encoding");
  return coding === undefined || /^\s*(identity)?\s*$/i.test(coding) ? undefined : coding;
}

const compressed = (): GatewayError =>
  new GatewayError("MEDIA_TYPE_UNSUPPORTED", "send the body as it is, without Content-Encoding", {
    headers: { "Accept-Encoding": "identity" },
  });

/** @returns undefined when it is not JSON */
function rewrite(bytes: Buffer, change: (value: unknown) => unknown): string | undefined {
  try {
    return changeJsonText(bytes.toString("utf8"), change);
  } catch {
    return undefined;
  }
}

/** A service that compresses unasked must not get past what its answers are to be rid of. */
async function readAnswer(response: GatewayResponse, maxBytes: number): Promise<Buffer | null> {
  const coding = codingOf(response.headers);
  try {
    const bytes = await readWhole(response.body, maxBytes);
    return coding === undefined || bytes === null ? bytes : await decodeBody(bytes, coding, maxBytes);
  } catch (cause) {
    throw new GatewayError("UPSTREAM_ABORTED", `the answer could not be read, or is longer than ${maxBytes} bytes`, {
      cause,
    });
  }
}

/** Fields that speak of the bytes of a body are wrong for another one. */
function replaceBody(headers: HeaderList, text: string): Buffer {
  const body = Buffer.from(text);
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

import type { Readable } from "node:stream";
import { pipeline } from "node:stream";
import { promisify } from "node:util";
import { brotliCompress, constants, createBrotliCompress, createGzip, gzip } from "node:zlib";
import {
  definePlugin,
  findMediaType,
  type GatewayResponse,
  type HeaderList,
  isStream,
  parseBytes,
  Type,
} from "../src/plugin.ts";

const toBrotli = promisify(brotliCompress);
const toGzip = promisify(gzip);

export default definePlugin({
  name: "compress",
  phase: "observe",
  options: Type.Object(
    {
      minBytes: Type.Union([Type.Integer({ minimum: 0 }), Type.String()], {
        default: "1KiB",
        description: "Shorter answers are sent as they are: compressing them costs more than it saves.",
      }),
      encodings: Type.Array(Type.Union([Type.Literal("br"), Type.Literal("gzip")]), {
        default: ["br", "gzip"],
        minItems: 1,
        description: "In the order in which they are preferred where a client takes them alike.",
      }),
      brotliQuality: Type.Integer({
        default: 4,
        minimum: 0,
        maximum: 11,
        description: "Effort for br; 11 is far too slow for answers made on demand.",
      }),
      gzipLevel: Type.Integer({ default: 6, minimum: 1, maximum: 9, description: "Effort for gzip." }),
    },
    { additionalProperties: false },
  ),
  setup({ options }) {
    const minBytes = parseBytes(options.minBytes);
    const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: options.brotliQuality } };
    const gzipped = { level: options.gzipLevel };

    async function compress(response: GatewayResponse, encoding: "br" | "gzip"): Promise<void> {
      const { headers, body } = response;
      if (isStream(body)) {
        // A part that has come is sent, not kept back until a block is full.
        const stream: Readable & NodeJS.WritableStream =
          encoding === "br"
            ? createBrotliCompress({ ...brotli, flush: constants.BROTLI_OPERATION_FLUSH })
            : createGzip({ ...gzipped, flush: constants.Z_SYNC_FLUSH });
        response.body = pipeline(body, stream, () => {}) as unknown as Readable;
        headers.delete("Content-Length");
      } else {
        const bytes = await (encoding === "br" ? toBrotli(body as Buffer, brotli) : toGzip(body as Buffer, gzipped));
        response.body = bytes;
        headers.set("Content-Length", String(bytes.length));
      }
      headers.set("Content-Encoding", encoding);
      headers.delete("Accept-Ranges");
      headers.delete("Content-MD5");
      const etag = headers.get("etag");
      // Other bytes, the same meaning: what makes a weak tag (RFC 9110 §8.8.1).
      if (etag !== undefined && !etag.startsWith("W/")) headers.set("ETag", `W/${etag}`);
    }

    return async function compressAnswer(exchange, next) {
      const response = await next(exchange);
      if (!isCompressible(response, minBytes)) return response;
      addVary(response.headers);
      if (response.body === null) {
        // The answer to HEAD has no body to compress: only its length would be wrong.
        if (exchange.request.method === "HEAD") response.headers.delete("Content-Length");
        return response;
      }
      const accepted = exchange.request.headers.getJoined("accept-encoding");
      const encoding = accepted === undefined ? undefined : findEncoding(accepted, options.encodings);
      if (encoding !== undefined) await compress(response, encoding);
      return response;
    };
  },
});

const TEXTS =
  /^(text\/(?!event-stream)|application\/(json|javascript|xml|graphql|x-ndjson|jsonl|yaml|wasm|manifest|ld|vnd\.api)|image\/svg|font\/)|\+(json|xml|yaml)$/;

function isCompressible({ status, headers, body }: GatewayResponse, minBytes: number): boolean {
  if (status < 200 || status === 204 || status === 206 || status === 304) return false;
  if (headers.has("content-encoding") || headers.has("content-range")) return false;
  if (/\bno-transform\b/i.test(headers.getJoined("cache-control") ?? "")) return false;
  if (Buffer.isBuffer(body) && body.length < minBytes) return false;
  const type = headers.get("content-type");
  const media = type === undefined ? undefined : findMediaType(type);
  return media !== undefined && TEXTS.test(media.essence);
}

/** The accepted encoding of the highest weight, and of those the first preferred (RFC 9110 §12.5.3). */
function findEncoding<T extends string>(accepted: string, preferred: readonly T[]): T | undefined {
  const weights = new Map<string, number>();
  for (const item of accepted.toLowerCase().split(",")) {
    const [name = "", ...parameters] = item.split(";").map((part) => part.trim());
    const quality = parameters.find((parameter) => parameter.startsWith("q="));
    weights.set(name === "x-gzip" ? "gzip" : name, quality === undefined ? 1 : Number(quality.slice(2)) || 0);
  }
  let best: T | undefined;
  let bestWeight = 0;
  for (const name of preferred) {
    const weight = weights.get(name) ?? weights.get("*") ?? 0;
    if (weight > bestWeight) {
      best = name;
      bestWeight = weight;
    }
  }
  return bestWeight >= (weights.get("identity") ?? 0) ? best : undefined;
}

function addVary(headers: HeaderList): void {
  const vary = headers.getJoined("vary");
  if (vary === undefined) headers.append("Vary", "Accept-Encoding");
  else if (vary !== "*" && !/\baccept-encoding\b/i.test(vary)) headers.set("Vary", `${vary}, Accept-Encoding`);
}

import type { Readable } from "node:stream";
import { pipeline } from "node:stream";
import { promisify } from "node:util";
import zlib, { brotliCompress, constants, createBrotliCompress, createGzip, gzip } from "node:zlib";
import {
  definePlugin,
  findMediaType,
  type GatewayResponse,
  type HeaderList,
  isStream,
  parseBytes,
  Type,
} from "../src/plugin.ts";

type Encoding = "br" | "zstd" | "gzip";
type Compressing = Readable & NodeJS.WritableStream;

const toBrotli = promisify(brotliCompress);
const toGzip = promisify(gzip);

interface ZstdOptions {
  readonly params: Readonly<Record<number, number>>;
  readonly flush?: number;
}
/** Node has zstd from 22.15 on; the types of an older one do not know of it. */
interface Zstd {
  zstdCompress(bytes: Buffer, options: ZstdOptions, done: (error: Error | null, result: Buffer) => void): void;
  createZstdCompress(options: ZstdOptions): Compressing;
}
const zstd = "zstdCompress" in zlib ? (zlib as unknown as Zstd) : undefined;
const ZSTD = { level: 100, flush: 1 } as const;

export default definePlugin({
  name: "compress",
  phase: "observe",
  options: Type.Object(
    {
      minBytes: Type.Union([Type.Integer({ minimum: 0 }), Type.String()], {
        default: "1KiB",
        description: "Shorter answers are sent as they are: compressing them costs more than it saves.",
      }),
      encodings: Type.Array(Type.Union([Type.Literal("br"), Type.Literal("zstd"), Type.Literal("gzip")]), {
        default: ["br", "zstd", "gzip"],
        minItems: 1,
        description:
          "In the order in which they are preferred where a client takes them alike; zstd where Node has it (22.15).",
      }),
      brotliQuality: Type.Integer({
        default: 4,
        minimum: 0,
        maximum: 11,
        description: "Effort for br; 11 is far too slow for answers made on demand.",
      }),
      zstdLevel: Type.Integer({ default: 3, minimum: 1, maximum: 19, description: "Effort for zstd." }),
      gzipLevel: Type.Integer({ default: 6, minimum: 1, maximum: 9, description: "Effort for gzip." }),
    },
    { additionalProperties: false },
  ),
  setup({ options }) {
    const minBytes = parseBytes(options.minBytes);
    const offered = options.encodings.filter((name) => name !== "zstd" || zstd !== undefined);
    const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: options.brotliQuality } };
    const gzipped = { level: options.gzipLevel };
    const level = { params: { [ZSTD.level]: options.zstdLevel } };
    const toZstd = zstd && promisify(zstd.zstdCompress);

    function compressWhole(body: Buffer, encoding: Encoding): Promise<Buffer> {
      if (encoding === "br") return toBrotli(body, brotli);
      return encoding === "zstd" && toZstd !== undefined ? toZstd(body, level) : toGzip(body, gzipped);
    }

    /** A part that has come is sent, not kept back until a block is full. */
    function openStream(encoding: Encoding): Compressing {
      if (encoding === "br") return createBrotliCompress({ ...brotli, flush: constants.BROTLI_OPERATION_FLUSH });
      return encoding === "zstd" && zstd !== undefined
        ? zstd.createZstdCompress({ ...level, flush: ZSTD.flush })
        : createGzip({ ...gzipped, flush: constants.Z_SYNC_FLUSH });
    }

    /** The answer to HEAD has no body, and the fields that GET's would have, but for a length that nobody knows (RFC 9110 §9.3.2). */
    async function compress(response: GatewayResponse, encoding: Encoding): Promise<void> {
      const { headers, body } = response;
      if (Buffer.isBuffer(body)) {
        const bytes = await compressWhole(body, encoding);
        response.body = bytes;
        headers.set("Content-Length", String(bytes.length));
      } else {
        if (isStream(body)) response.body = pipeline(body, openStream(encoding), () => {}) as unknown as Readable;
        headers.delete("Content-Length");
      }
      headers.set("Content-Encoding", encoding);
      headers.delete("Accept-Ranges");
      headers.delete("Content-MD5");
      const etag = headers.get("etag");
      if (etag !== undefined) headers.set("ETag", toWeak(etag));
    }

    return async function compressAnswer(exchange, next) {
      const response = await next(exchange);
      if (response.status === 304) weakenAsStored(response.headers, exchange.request.headers);
      if (!isCompressible(response, minBytes)) return response;
      addVary(response.headers);
      if (response.body === null && exchange.request.method !== "HEAD") return response;
      const accepted = exchange.request.headers.getJoined("accept-encoding");
      const encoding = accepted === undefined ? undefined : findEncoding(accepted, offered);
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
  if (Number(headers.get("content-length") ?? minBytes) < minBytes) return false;
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

/** Other bytes, the same meaning: what makes a weak tag (RFC 9110 §8.8.1). */
const toWeak = (etag: string): string => (etag.startsWith("W/") ? etag : `W/${etag}`);

/** What a client has of us carries the weak tag: with the strong one, this answer would not be about it. */
function weakenAsStored(headers: HeaderList, asked: HeaderList): void {
  const etag = headers.get("etag");
  if (etag === undefined || asked.getJoined("if-none-match")?.includes(toWeak(etag)) !== true) return;
  headers.set("ETag", toWeak(etag));
  addVary(headers);
}

function addVary(headers: HeaderList): void {
  const vary = headers.getJoined("vary");
  if (vary === undefined) headers.append("Vary", "Accept-Encoding");
  else if (vary !== "*" && !/\baccept-encoding\b/i.test(vary)) headers.set("Vary", `${vary}, Accept-Encoding`);
}

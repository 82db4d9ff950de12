import { createHash, type Hash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import {
  definePlugin,
  type Exchange,
  GatewayError,
  type GatewayResponse,
  type Next,
  parseBytes,
  readWhole,
  type StateStore,
  StoreUnavailable,
  Type,
} from "../src/plugin.ts";
import { collect, PENDING, packAnswer, TOO_LARGE, unpackAnswer } from "./idempotency/kept-answer.ts";

const POLL_MS = 50;
/** A SHA-256 in front of each entry says which request it is of. */
const MARK_BYTES = 32;

export default definePlugin({
  name: "idempotency",
  phase: "transform",
  // It waits for the first answer, with a deadline of its own.
  callTimeoutMs: 0,
  options: Type.Object(
    {
      methods: Type.Array(Type.String(), { default: ["POST", "PATCH"], description: "Methods that it is for." }),
      required: Type.Boolean({ default: false, description: "Refuse a request without Idempotency-Key with 400." }),
      concurrent: Type.Union([Type.Literal("wait"), Type.Literal("refuse")], {
        default: "refuse",
        description: "A second request while the first is under way waits for its answer, or gets 409.",
      }),
      waitSeconds: Type.Number({
        default: 10,
        exclusiveMinimum: 0,
        description: "So long one waits; then it gets 409.",
      }),
      keepSeconds: Type.Number({ default: 86_400, minimum: 1, description: "How long the first answer is replayed." }),
      pendingSeconds: Type.Number({
        default: 300,
        minimum: 1,
        description: "After this a request whose gateway died may be sent again; longer than any answer takes.",
      }),
      maxAnswerBytes: Type.Union([Type.Integer({ minimum: 0 }), Type.String()], {
        default: "1MiB",
        description: "A longer answer is not kept: a repeated request then gets 409, and is not run twice.",
      }),
    },
    { additionalProperties: false },
  ),
  setup({ options, operation, store, id, log }) {
    const maxAnswerBytes = parseBytes(options.maxAnswerBytes);
    const methods = new Set(options.methods.map((method) => method.toUpperCase()));
    const keepMs = options.keepSeconds * 1000;
    const pendingMs = options.pendingSeconds * 1000;
    const waitMs = options.concurrent === "wait" ? options.waitSeconds * 1000 : 0;

    async function run(exchange: Exchange, next: Next, key: string, mark: Buffer): Promise<GatewayResponse> {
      // An errand of its own: a client that goes away and asks again must find the answer, not half a deed.
      const errand = exchange.fork();
      let entry: Buffer | undefined;
      try {
        const response = await next(errand);
        exchange.attempts = errand.attempts;
        exchange.endpoint = errand.endpoint;
        // What failed on the way may be tried again.
        if (response.status >= 500) return response;
        const isKept = await collect(response, maxAnswerBytes);
        entry = Buffer.concat([mark, isKept ? packAnswer(response) : TOO_LARGE]);
        return response;
      } finally {
        const kept = entry === undefined ? store.delete(key) : store.set(key, entry, keepMs);
        await kept.catch((cause: unknown) => log.error({ err: cause }, "the answer of an Idempotency-Key is not kept"));
      }
    }

    return async function answerOnce(exchange, next) {
      const { request } = exchange;
      if (!methods.has(request.method)) return next(exchange);
      const given = request.headers.getJoined("idempotency-key");
      if (given === undefined && !options.required) return next(exchange);
      if (given === undefined || given.length === 0 || given.length > 255) {
        throw new GatewayError("IDEMPOTENCY_KEY_MISSING", "send Idempotency-Key with 1 to 255 characters");
      }
      const body = await readWhole(request.body, Number.POSITIVE_INFINITY);
      request.body = body;
      const mark = hashAll(request.method, request.path, request.query, request.headers.get("content-type") ?? "")
        .update(body ?? "")
        .digest();
      const caller = callerOf(exchange);
      const key = `idempotency:${hashAll(id, operation.method, operation.publicPath, caller, given).digest("base64url")}`;
      const endMs = performance.now() + waitMs;
      for (;;) {
        const found = await claim(store, key, Buffer.concat([mark, PENDING]), pendingMs);
        if (found === undefined) return run(exchange, next, key, mark);
        if (!found.subarray(0, MARK_BYTES).equals(mark)) {
          throw new GatewayError("IDEMPOTENCY_MISUSED", "take a new Idempotency-Key for another request");
        }
        const kept = found.subarray(MARK_BYTES);
        if (kept.equals(TOO_LARGE)) {
          throw new GatewayError("IDEMPOTENCY_CONFLICT", "it was answered, but the answer was too long to be kept");
        }
        if (!kept.equals(PENDING)) return unpackAnswer(kept);
        if (performance.now() >= endMs || exchange.isAborted) {
          throw new GatewayError("IDEMPOTENCY_CONFLICT", "the first request with this key is not answered yet", {
            headers: { "Retry-After": "1" },
          });
        }
        await delay(POLL_MS);
      }
    };
  },
});

/** @returns undefined when the key is now this request's; else what stands there */
async function claim(store: StateStore, key: string, entry: Buffer, ttlMs: number): Promise<Buffer | undefined> {
  try {
    for (;;) {
      if (await store.add(key, entry, ttlMs)) return undefined;
      const found = await store.get(key);
      // It may have gone in between: its request failed.
      if (found !== undefined) return found;
    }
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    throw new GatewayError("STORE_UNAVAILABLE", "whether this key was used cannot be known now", { cause: error });
  }
}

/** Nobody is given the answer of somebody else, whose key they may have guessed. */
function callerOf({ consumer, request: { headers } }: Exchange): string {
  if (consumer !== undefined) return `c:${consumer.name}`;
  return `h:${headers.getJoined("authorization") ?? ""}\n${headers.getJoined("cookie") ?? ""}`;
}

function hashAll(...parts: readonly string[]): Hash {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash;
}

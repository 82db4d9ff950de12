import { createHash, timingSafeEqual } from "node:crypto";
import { parseDictionary } from "structured-headers";
import { definePlugin, GatewayError, readWhole, StoreUnavailable, Type } from "../src/plugin.ts";
import { Remembered } from "./common/remembered.ts";
import { ALGORITHMS, isSignedBy, toSigningKey } from "./hmac/keys.ts";
import { type MessageSignature, parseSignature } from "./hmac/signature-base.ts";

const Key = Type.Object(
  {
    consumer: Type.String({ minLength: 1, description: "Who signs with the key." }),
    secret: Type.Optional(
      Type.String({ minLength: 16, description: "Shared secret of hmac-sha256: text, or base64:<bytes>." }),
    ),
    publicKey: Type.Optional(Type.String({ description: "PEM public key of the other algorithms." })),
    algorithm: Type.Optional(
      Type.Union(
        ALGORITHMS.map((name) => Type.Literal(name)),
        { description: "Of the key. Default: hmac-sha256 with a secret." },
      ),
    ),
  },
  { additionalProperties: false },
);

/** Who calls, by a signature over the message itself (RFC 9421), its body included by its digest (RFC 9530). */
export default definePlugin({
  name: "hmac",
  phase: "authenticate",
  // It reads bodies, which come as fast as the client sends them.
  callTimeoutMs: 0,
  options: Type.Object({
    keys: Type.Record(Type.String(), Key, { minProperties: 1, description: "`keyid` to key." }),
    components: Type.Array(Type.String(), {
      default: ["@method", "@authority", "@path", "@query"],
      minItems: 1,
      description: "What a signature must cover, at least.",
    }),
    maxAgeSeconds: Type.Number({ default: 300, minimum: 1, description: "From `created` on." }),
    leewaySeconds: Type.Number({ default: 5, minimum: 0, description: "By how much clocks may differ." }),
    maxBodyBytes: Type.Integer({ default: 1_048_576, minimum: 0, description: "Bodies are held to be digested." }),
    replay: Type.Union([Type.Literal("refuse"), Type.Literal("allow")], {
      default: "refuse",
      description: "Whether the same signature counts a second time: at any gateway, where they share a `store`.",
    }),
    forwardCredential: Type.Boolean({ default: false, description: "The upstream sees the signature." }),
  }),
  setup({ options, clock, kept, store, id }) {
    const keys = new Map(Object.entries(options.keys).map(([id, key]) => [id, toSigningKey(key)]));
    // Kept: a reload must not let a signature count twice.
    const { used } = kept(() => ({ used: new Remembered<number>(100_000) }));
    const headers = { "WWW-Authenticate": "Signature" };
    const refusal = (reason: string, cause?: unknown): GatewayError =>
      new GatewayError("CREDENTIALS_INVALID", reason, { headers, cause });

    const checkTime = (parameters: ReadonlyMap<string, unknown>): void => {
      const now = clock.nowMs() / 1000;
      const [created, expires] = [parameters.get("created"), parameters.get("expires")];
      if (typeof created !== "number") throw refusal("the signature says not when it was created");
      if (created - options.leewaySeconds > now) throw refusal("the signature was created in the future");
      if (created + options.maxAgeSeconds < now) throw refusal("the signature is too old");
      if (expires !== undefined && !(typeof expires === "number" && expires + options.leewaySeconds >= now)) {
        throw refusal("the signature has expired");
      }
    };
    const memoryMs = (options.maxAgeSeconds + options.leewaySeconds) * 1000;
    /** @returns whether it counts for the first time */
    const isFirstHere = (key: string): boolean => {
      const until = used.get(key);
      if (until !== undefined && until > clock.monotonicMs()) return false;
      used.set(key, clock.monotonicMs() + memoryMs);
      return true;
    };
    const isFirstAnywhere = async (key: string): Promise<boolean> => {
      try {
        return await store.add(`hmac:${id}:${key}`, Buffer.alloc(0), memoryMs);
      } catch (cause) {
        if (!(cause instanceof StoreUnavailable)) throw cause;
        // Another gateway may have taken it: what cannot be asked counts as no.
        throw new GatewayError("STORE_UNAVAILABLE", "whether a signature has been used cannot be told now", {
          cause,
          headers: { "Retry-After": "1" },
        });
      }
    };
    const checkReplay = async (signature: Buffer): Promise<void> => {
      const key = createHash("sha256").update(signature).digest("base64url");
      const isFirst = isFirstHere(key) && (store.kind === "memory" || (await isFirstAnywhere(key)));
      if (!isFirst) throw refusal("the signature has been used");
    };

    return async function checkSignature(exchange, next) {
      const { request } = exchange;
      let signed: MessageSignature | undefined;
      try {
        signed = parseSignature(exchange);
      } catch (error) {
        throw refusal("the signature fields are malformed, or cover what is not there", error);
      }
      if (signed === undefined)
        throw new GatewayError("CREDENTIALS_MISSING", "sign the request (RFC 9421)", { headers });
      const { components, parameters, signature, base } = signed;
      const missing = options.components.filter((name) => !components.includes(name));
      if (missing.length > 0) throw refusal(`the signature must cover ${missing.join(", ")}`);
      const key = keys.get(String(parameters.get("keyid")));
      const algorithm = parameters.get("alg");
      if (key === undefined || (algorithm !== undefined && algorithm !== key.algorithm))
        throw refusal("the key is not known");
      checkTime(parameters);
      if (!isSignedBy(key, base, signature)) throw refusal("the signature does not hold");
      if (request.body !== null) {
        if (!components.includes("content-digest")) throw refusal("the signature must cover content-digest");
        request.body = await readWhole(request.body, options.maxBodyBytes);
        if (!isDigestOf(request.headers.getJoined("content-digest"), request.body ?? Buffer.alloc(0))) {
          throw refusal("the body has another digest");
        }
      }
      if (options.replay === "refuse") await checkReplay(signature);
      exchange.consumer = { name: key.consumer };
      if (!options.forwardCredential) {
        request.headers.delete("signature");
        request.headers.delete("signature-input");
      }
      return next(exchange);
    };
  },
});

const DIGESTS = { "sha-256": "sha256", "sha-512": "sha512" } as const;

/** Every digest of a known algorithm must hold, and there must be one (RFC 9530 §2). */
function isDigestOf(field: string | undefined, body: Buffer): boolean {
  let isProven = false;
  try {
    for (const [name, item] of parseDictionary(field ?? "")) {
      const algorithm = DIGESTS[name as keyof typeof DIGESTS] as string | undefined;
      if (algorithm === undefined) continue;
      const claimed = item[0] as ArrayBuffer | Uint8Array;
      const bytes =
        claimed instanceof ArrayBuffer
          ? Buffer.from(claimed)
          : Buffer.from(claimed.buffer, claimed.byteOffset, claimed.byteLength);
      const actual = createHash(algorithm).update(body).digest();
      if (bytes.length !== actual.length || !timingSafeEqual(bytes, actual)) return false;
      isProven = true;
    }
  } catch {
    return false;
  }
  return isProven;
}

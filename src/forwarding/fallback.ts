import { channels } from "../core/channels.ts";
import { ERRORS, GatewayError } from "../core/errors.ts";
import type { Exchange, GatewayResponse, Handler } from "../core/exchange.ts";
import { HeaderList } from "../core/headers.ts";
import type { MediaType, Operation } from "../core/operation.ts";
import type { FallbackOptions } from "./options.ts";
import { discard } from "./replay.ts";

/**
 * Answers in place of a service that does not. It stands outside the cache, so a stale stored answer comes first and this
 * one is never stored.
 */
export function createFallbackHandler(options: FallbackOptions, operation: Operation): Handler {
  const answer = prepare(options, operation);
  const statuses = new Set(options.statuses ?? []);

  return async function fallBack(exchange, next) {
    try {
      const response = await next(exchange);
      if (!statuses.has(response.status)) return response;
      discard(response);
      return answer(exchange);
    } catch (error) {
      if (!(error instanceof GatewayError) || ERRORS[error.code].source !== "upstream") throw error;
      exchange.errorCode = error.code;
      if (channels.fault.hasSubscribers) channels.fault.publish({ exchange, error });
      return answer(exchange);
    }
  };
}

function prepare(options: FallbackOptions, operation: Operation): (exchange: Exchange) => GatewayResponse {
  const mock = options.mock === true ? findExample(operation) : undefined;
  const value = options.body ?? mock?.value;
  const isText = typeof value === "string";
  const body = value === undefined ? null : Buffer.from(isText ? value : JSON.stringify(value));
  const headers = HeaderList.from(options.headers ?? {});
  if (body !== null && !headers.has("content-type"))
    headers.set("Content-Type", mock?.type ?? (isText ? "text/plain; charset=utf-8" : "application/json"));
  if (!headers.has("cache-control")) headers.set("Cache-Control", "no-store");
  headers.set("Content-Length", String(body?.length ?? 0));
  const status = options.status ?? mock?.status ?? 200;
  return () => ({ status, headers: headers.clone(), body });
}

/** The first successful response of the description that has an example. */
function findExample(operation: Operation): { status: number; type: string; value: unknown } | undefined {
  for (const [status, { content }] of operation.responses) {
    if (!/^2\d\d$/.test(status)) continue;
    for (const media of content) {
      const value = exampleOf(media);
      if (value !== undefined) return { status: Number(status), type: media.type, value };
    }
  }
  return undefined;
}

function exampleOf({ example, examples, schema }: MediaType): unknown {
  if (example !== undefined) return example;
  const first = Object.values(examples ?? {})[0] as { value?: unknown; dataValue?: unknown } | undefined;
  if (first !== undefined) return first.value ?? first.dataValue;
  if (typeof schema !== "object") return undefined;
  return schema.example ?? (schema.examples as unknown[] | undefined)?.[0] ?? schema.default;
}

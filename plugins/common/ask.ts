import { GatewayError } from "../../src/plugin.ts";

const MAX_BYTES = 256 * 1024;

export interface Asked {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/**
 * Asks a service that decides over requests. Redirects are not followed; its answer is bounded in time and size.
 * @throws GatewayError AUTH_UNAVAILABLE
 */
export async function ask(url: string, init: RequestInit, timeoutMs: number): Promise<Asked> {
  try {
    const response = await fetch(url, { ...init, redirect: "manual", signal: AbortSignal.timeout(timeoutMs) });
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of response.body ?? []) {
      length += chunk.length;
      if (length > MAX_BYTES) throw new Error(`it answers more than ${MAX_BYTES} bytes`);
      chunks.push(chunk);
    }
    return { status: response.status, headers: response.headers, text: Buffer.concat(chunks).toString("utf8") };
  } catch (cause) {
    throw unavailable(cause);
  }
}

export const unavailable = (cause?: unknown): GatewayError =>
  new GatewayError("AUTH_UNAVAILABLE", "who decides cannot be asked", { cause, headers: { "Retry-After": "5" } });

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type RegistryOptions, type RunningRegistry, startRegistry } from "../../src/registry/start.ts";

/** A folder that the test's end removes. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "portico-"));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** A registry on a free port, in memory unless told otherwise. */
export async function startTestRegistry(t: TestContext, options: RegistryOptions = {}): Promise<RunningRegistry> {
  const running = await startRegistry({ port: 0, ...options });
  t.after(() => running.close());
  return running;
}

/** Asks until it holds, for at most `withinMs`. */
export async function eventually<T>(
  look: () => T | Promise<T>,
  holds: (value: T) => boolean,
  withinMs = 15_000,
): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    const value = await look();
    if (holds(value)) return value;
    if (performance.now() > end) assert.fail(`still ${JSON.stringify(value)} after ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export interface Reply {
  readonly status: number;
  readonly body: Record<string, unknown> & { instances?: Record<string, unknown>[] };
  readonly headers: Headers;
}

/** One request to a registry's API, as `curl` would send it. */
export async function call(
  method: string,
  url: string,
  options: { body?: unknown; token?: string; headers?: Record<string, string> } = {},
): Promise<Reply> {
  const response = await fetch(url, {
    method,
    headers: {
      ...(options.body === undefined ? {} : { "content-type": "application/json" }),
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...options.headers,
    },
    ...(options.body === undefined
      ? {}
      : { body: typeof options.body === "string" ? options.body : JSON.stringify(options.body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text.startsWith("{") ? JSON.parse(text) : {}, headers: response.headers };
}

export const idsOf = (reply: Reply): string[] => (reply.body.instances ?? []).map(({ id }) => String(id)).sort();

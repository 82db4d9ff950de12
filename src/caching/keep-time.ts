import type { StoredRecord } from "./answer.ts";

/** For how long an answer that can be validated is kept once it is stale. */
const VALIDATABLE_MS = 86_400_000;
const INDEX_MS = 30 * 86_400_000;

/**
 * Milliseconds from now after which nobody will want a record.
 * @param standInMs for how long after its time it may still stand in for its upstream
 */
export function keepMs(record: StoredRecord, standInMs: number): number {
  if (record.kind === "variants") return INDEX_MS;
  const { freshness, headers } = record;
  const hasValidator = headers.has("etag") || headers.has("last-modified");
  const { staleWhileRevalidateMs, staleIfErrorMs } = freshness;
  const staleMs = Math.max(staleWhileRevalidateMs, staleIfErrorMs, standInMs, hasValidator ? VALIDATABLE_MS : 0);
  return Math.max(1000, freshness.freshUntilMs - Date.now() + staleMs);
}

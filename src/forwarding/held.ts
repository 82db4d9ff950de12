import { GatewayError } from "../core/errors.ts";
import type { Upload } from "./upload.ts";

/** A client that is waited for that long, or sends that little, gives way to others once all connections are taken. */
const HELD_MS = 2_000;
const HELD_BYTES_PER_SECOND = 4_096;

/**
 * Whether it is the client that keeps a connection busy: by hardly reading its answer, or hardly sending its body. ATTACKS 45.
 * @param pausedAtMs since when the answer is not read; undefined while it is
 */
export function isHeldByClient(
  startedAtMs: number,
  pausedAtMs: number | undefined,
  upload: Upload | undefined,
  nowMs: number,
): boolean {
  if (pausedAtMs !== undefined) return nowMs - pausedAtMs > HELD_MS;
  const sinceMs = nowMs - startedAtMs;
  return (
    upload?.isWaiting === true && sinceMs > HELD_MS && upload.sentBytes < (HELD_BYTES_PER_SECOND * sinceMs) / 1_000
  );
}

export const takenBack = (): GatewayError =>
  new GatewayError("REQUEST_TIMEOUT", "others wait for the connection that a slow client holds");
